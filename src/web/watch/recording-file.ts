/** What was told of a run as one safetensors file: what the models of each stage said of the pictures, when they are long gone. */
import { CheckpointError, type ImageBytes, readSafetensors, type SafetensorsEntry, writeSafetensors } from 'engram';
import type { Begun, Held, LearnerTold, Stage, Stepped, Views } from './protocol.ts';

export const RECORDING = 'recording.safetensors';
const FORMAT = 'engram recording 1';

export type Recorded = Begun | Held | Stepped | Stage;

/** What of a stage is numbers for JSON. */
type StageLine = Omit<Stage, 'type' | 'views'> & { readonly known: number | null };

interface Description {
  readonly adapter: string;
  readonly learners: readonly LearnerTold[];
  readonly classes: readonly string[];
  readonly taskSizes: readonly number[];
  readonly held: readonly Held[];
  readonly stages: readonly StageLine[];
}

const bytes = (data: Uint8Array<ArrayBuffer>, shape: readonly number[]): SafetensorsEntry => ({
  dtype: 'U8',
  shape,
  data,
});
const floats = (data: Float32Array<ArrayBuffer>, shape: readonly number[]): SafetensorsEntry => ({
  dtype: 'F32',
  shape,
  data,
});
const whole = (data: ArrayLike<number>): SafetensorsEntry => ({
  dtype: 'I32',
  shape: [data.length],
  data: Int32Array.from(data),
});
const place = ({ learner, task }: { readonly learner: number; readonly task: number }) => `${learner}.${task}`;

/** @param told what was, `begun` first. */
export function writeRecording(told: readonly Recorded[]): Uint8Array<ArrayBuffer> {
  const begun = told.find((one) => one.type === 'begun') as Begun;
  const stages = told.filter((one) => one.type === 'stage');
  const steps = told.filter((one) => one.type === 'stepped');
  const { pictures, labels, adapter, learners, classes, taskSizes } = begun;
  const { count, height, width, channels } = pictures;
  const tensors = new Map<string, SafetensorsEntry>([
    ['pictures', bytes(pictures.data, [count, height, width, channels])],
    ['labels', whole(labels)],
    [
      'steps',
      floats(Float32Array.from(steps.flatMap(({ learner, task, done, loss }) => [learner, task, done, loss])), [
        steps.length,
        4,
      ]),
    ],
  ]);
  for (const { views, ...stage } of stages) {
    if (!views) continue;
    const { known, probabilities, kept, keptLabels } = views;
    tensors.set(`${place(stage)}.probabilities`, floats(probabilities, [probabilities.length / known, known]));
    tensors.set(`${place(stage)}.kept`, bytes(kept, [keptLabels.length, height, width, channels]));
    tensors.set(`${place(stage)}.kept_labels`, whole(keptLabels));
  }
  const lines = stages.map(({ type: _, views, ...line }): StageLine => ({ ...line, known: views?.known ?? null }));
  const held = told.filter((one) => one.type === 'held');
  const description: Description = { adapter, learners, classes, taskSizes, held, stages: lines };
  return writeSafetensors(tensors, { format: FORMAT, description: JSON.stringify(description) });
}

/**
 * @param name of the file, for errors.
 * @throws {CheckpointError} for a file that is damaged, or none of these.
 */
export function readRecording(file: Uint8Array, name: string): Recorded[] {
  const { tensors, metadata } = readSafetensors(file, name);
  const damaged = (cause?: unknown) =>
    new CheckpointError({
      where: name,
      message: 'it is not a recording of this page.',
      fix: 'Open the checkpoints instead.',
      cause,
    });
  if (metadata.format !== FORMAT) throw damaged();
  const data = <T>(key: string): { data: T; shape: readonly number[] } => {
    const entry = tensors.get(key);
    if (!entry) throw damaged();
    return entry as unknown as { data: T; shape: readonly number[] };
  };
  let description: Description;
  try {
    description = JSON.parse(metadata.description ?? '') as Description;
  } catch (cause) {
    throw damaged(cause);
  }
  const { stages, held, ...begun } = description;
  const { data: pixels, shape } = data<Uint8Array<ArrayBuffer>>('pictures');
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  const pictures: ImageBytes = { data: pixels, count, height, width, channels };
  const viewsOf = (key: string, known: number): Views => ({
    known,
    probabilities: data<Float32Array<ArrayBuffer>>(`${key}.probabilities`).data,
    kept: data<Uint8Array<ArrayBuffer>>(`${key}.kept`).data,
    keptLabels: Uint16Array.from(data<Int32Array>(`${key}.kept_labels`).data),
  });
  const steps = data<Float32Array>('steps').data;
  const labels = Uint16Array.from(data<Int32Array>('labels').data);
  const told: Recorded[] = [
    { ...begun, type: 'begun', pictures, labels, again: false },
    ...held,
    ...Array.from({ length: steps.length / 4 }, (_, at): Stepped => {
      const [learner = 0, task = 0, done = 0, loss = 0] = steps.subarray(4 * at, 4 * at + 4);
      return { type: 'stepped', learner, task, done, loss };
    }),
    ...stages.map(
      ({ known, ...line }): Stage => ({
        ...line,
        type: 'stage',
        views: known === null ? null : viewsOf(place(line), known),
      }),
    ),
  ];
  return told.sort((a, b) => whenOf(a) - whenOf(b));
}

/** The steps of a task come after what it is held to, and before its stage. */
function whenOf(told: Recorded): number {
  if (told.type === 'begun') return -1;
  if (told.type === 'held') return told.task;
  return told.task + (told.type === 'stage' ? 1 : told.done * 0.999);
}
