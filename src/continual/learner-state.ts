/**
 * A learner as one safetensors file: the model under PyTorch's names, the exemplars' own pixels, and in the metadata what else
 * the next task depends on. Nothing random needs saving: every draw is a function of the seed, the task and the epoch.
 */
import * as v from 'valibot';
import { version } from '../../package.json';
import { bytesPerImage, type ImageFormat } from '../data/image-bytes.ts';
import { CheckpointError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { asInt32, readSafetensors, type SafetensorsEntry, writeSafetensors } from '../nn/safetensors.ts';
import type { StateDict } from '../nn/state-dict.ts';
import { weightFault } from './faults.ts';
import type { Knowledge, Setup } from './knowledge.ts';
import type { Exemplar } from './memory.ts';
import { checksumFault, checksumOf, prefixed, unprefixed } from './stored-tensors.ts';

const FAMILY = 'engram-learner-';
const FORMAT = `${FAMILY}1`;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const size = v.pipe(count, v.minValue(1));
const settings = v.record(v.string(), v.unknown());

export const scalerSchema = v.object({
  scale: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  goodSteps: count,
  skippedSteps: count,
});

const stateSchema = v.object({
  /** The version that wrote it. */
  version: v.string(),
  method: v.string(),
  methodSettings: settings,
  settings,
  resize: v.boolean(),
  /** Names of the classes, in the order of the logits. */
  classes: v.array(v.string()),
  /** Classes of each task that brought some. */
  taskSizes: v.array(size),
  /** Tasks learnt, those of known classes only included. */
  tasksDone: count,
  /** In short, all that was learnt from. */
  history: v.string(),
  /** Of the images; `null` before the first task. */
  images: v.nullable(
    v.object({ height: size, width: size, channels: size, mean: v.array(v.number()), std: v.array(v.number()) }),
  ),
  /** Images offered to a reservoir by class; −1 for all. */
  offered: v.array(v.tuple([v.number(), count])),
  scaler: v.nullable(scalerSchema),
});

/** What a learner is, beside its tensors. */
export type LearnerState = v.InferOutput<typeof stateSchema>;

/** All that a file holds. */
export interface StoredLearner {
  readonly state: LearnerState;
  readonly weights: StateDict;
  readonly exemplars: readonly Exemplar[];
  /** What whoever saved it added. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The state of a learner but for what is read from the device. @param offered images that a reservoir was offered, by class. */
export function describe(
  { method, methodSettings, training, resize }: Setup,
  { names, taskSizes, tasks, images, history }: Knowledge,
  offered: readonly (readonly [label: number, count: number])[],
): Omit<LearnerState, 'version' | 'scaler'> {
  return {
    method: method.name,
    methodSettings: { ...methodSettings },
    settings: { ...training },
    resize,
    classes: [...names],
    taskSizes: [...taskSizes],
    tasksDone: tasks,
    history,
    images: images && {
      height: images.height,
      width: images.width,
      channels: images.channels,
      mean: [...images.mean],
      std: [...images.std],
    },
    offered: offered.map(([label, count]) => [label, count]),
  };
}

export function writeLearner({
  state,
  weights,
  exemplars,
  metadata,
}: Omit<StoredLearner, 'state'> & {
  readonly state: Omit<LearnerState, 'version'>;
}): Uint8Array<ArrayBuffer> {
  const tensors: [string, SafetensorsEntry][] = prefixed('model.', weights);
  const { images } = state;
  if (images && exemplars.length > 0) {
    const bytes = bytesPerImage(images);
    const data = new Uint8Array(exemplars.length * bytes);
    for (const [place, { pixels }] of exemplars.entries()) data.set(pixels, place * bytes);
    const labels = Int32Array.from(exemplars, ({ label }) => label);
    tensors.push(['memory.labels', { dtype: 'I32', shape: [exemplars.length], data: labels }]);
    tensors.push([
      'memory.pixels',
      { dtype: 'U8', shape: [exemplars.length, images.height, images.width, images.channels], data },
    ]);
    for (const name of new Set(exemplars.flatMap(({ values = {} }) => Object.keys(values))))
      tensors.push(...storedRows(name, exemplars));
  }
  return writeSafetensors(tensors, {
    ...metadata,
    format: FORMAT,
    learner: JSON.stringify({ version, ...state }),
    checksum: checksumOf(tensors),
  });
}

/** Numbers that a method stored with exemplars, one after the other, and how many each has; −1 stands for nothing stored. */
function storedRows(name: string, exemplars: readonly Exemplar[]): [string, SafetensorsEntry][] {
  const rows = exemplars.map(({ values }) => values?.[name]);
  const data = new Float32Array(rows.reduce((total, row) => total + (row?.length ?? 0), 0));
  let at = 0;
  for (const row of rows) {
    if (row) data.set(row, at);
    at += row?.length ?? 0;
  }
  const sizes = Int32Array.from(rows, (row) => row?.length ?? -1);
  return [
    [`${STORED}${name}`, { dtype: 'F32', shape: [data.length], data }],
    [`${STORED_SIZES}${name}`, { dtype: 'I32', shape: [sizes.length], data: sizes }],
  ];
}

const STORED = 'memory.stored.';
const STORED_SIZES = 'memory.stored-sizes.';

/**
 * @param where names the file in errors.
 * @throws {CheckpointError} when it is damaged, cut short, of a newer version or something else.
 */
export function readLearner(bytes: Uint8Array, where: string): StoredLearner {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const { format, learner, checksum, ...others } = metadata;
  if (format !== FORMAT) throw unknownFormat(format, where);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), learner);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw damaged(where, `${v.getDotPath(issue) ?? 'the state'}: ${clipped(issue.message)}`);
  }
  const state = parsed.output;
  const fault = stateFault(state);
  if (fault) throw damaged(where, fault);
  const weights = unprefixed('model.', tensors);
  const strange = weightFault(weights);
  if (strange) throw damaged(where, strange);
  const exemplars = readExemplars(tensors, state, where);
  const changed = checksumFault(tensors, checksum);
  if (changed) throw damaged(where, changed);
  return { state, weights, exemplars, metadata: others };
}

function unknownFormat(format: string | undefined, where: string): CheckpointError {
  const number = format?.startsWith(FAMILY) ? Number(format.slice(FAMILY.length)) : Number.NaN;
  return new CheckpointError({
    where,
    message:
      number > 1
        ? `this learner was saved by a newer version of engram (format ${clipped(format ?? '')}; up to ${FORMAT} is read).`
        : `this is not a learner's file (format ${clipped(format ?? 'missing')}, expected ${FORMAT}).`,
    fix: number > 1 ? 'Update engram.' : 'Weights alone are loaded with loadWeights().',
  });
}

/** @param fault said in a clause. */
export const damaged = (where: string, fault: string, fix = 'Go on from a copy that is whole.'): CheckpointError =>
  new CheckpointError({ where, message: `the file is damaged: ${fault}.`, fix });

/** What no learner leaves in its file, though every part has its type. */
function stateFault(state: LearnerState): string | undefined {
  const { classes, taskSizes, tasksDone, images, settings, scaler } = state;
  if ((settings.precision === 'f16') !== (scaler !== null))
    return `a learner in ${scaler ? 'f32 has no' : 'f16 needs the'} scale of its loss`;
  const twice = classes.find((name, at) => classes.indexOf(name) !== at);
  if (twice !== undefined) return `two classes are called "${clipped(twice)}"`;
  const total = taskSizes.reduce((sum, size) => sum + size, 0);
  if (total !== classes.length) return `its tasks brought ${total} classes, but it names ${classes.length}`;
  if (tasksDone < taskSizes.length) return `${tasksDone} tasks brought classes ${taskSizes.length} times`;
  if (tasksDone > 0 && !images) return 'it does not say what its images are';
  if (images && (images.mean.length !== images.channels || images.std.length !== images.channels))
    return `it normalises ${images.mean.length} channels of ${images.channels}`;
  return undefined;
}

function readExemplars(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  { images, classes }: LearnerState,
  where: string,
): Exemplar[] {
  const [labels, pixels] = [tensors.get('memory.labels'), tensors.get('memory.pixels')];
  if (!labels && !pixels) return [];
  const [n = 0, ...more] = labels?.shape ?? [];
  if (labels?.dtype !== 'I32' || more.length > 0)
    throw damaged(
      where,
      `the exemplars have ${labels ? `labels ${labels.dtype}[${labels.shape.join(', ')}]` : 'no labels'}`,
    );
  const expected = images ? [n, images.height, images.width, images.channels] : [];
  if (!images || !(pixels?.data instanceof Uint8Array) || pixels.shape.join() !== expected.join()) {
    throw damaged(
      where,
      `the exemplars' pixels are ${pixels ? `${pixels.dtype}[${pixels.shape.join(', ')}]` : 'missing'}, where U8[${expected.join(', ')}] belong`,
    );
  }
  const data = pixels.data;
  const bytes = bytesPerImage(images as ImageFormat);
  const stored = readStored(tensors, n, where);
  return Array.from(asInt32(labels), (label, place) => {
    if (!(label >= 0 && label < classes.length))
      throw damaged(where, `exemplar ${place} is of class ${label}, but there are ${classes.length}`);
    const pixels = data.slice(place * bytes, (place + 1) * bytes) as Uint8Array<ArrayBuffer>;
    const own = [...stored].flatMap(([name, rows]) => (rows[place] ? [[name, rows[place]] as const] : []));
    return own.length > 0 ? { label, pixels, values: Object.fromEntries(own) } : { label, pixels };
  });
}

/** What is stored with `count` exemplars, by name: a row for each that has one. */
function readStored(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  count: number,
  where: string,
): Map<string, (Float32Array | undefined)[]> {
  const names = [STORED, STORED_SIZES].flatMap((prefix) =>
    [...tensors.keys()].flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : [])),
  );
  const found = new Map<string, (Float32Array | undefined)[]>();
  for (const name of new Set(names)) {
    const what = `what is stored as "${clipped(name)}" with its ${count} exemplars`;
    const [rows, sizes] = [tensors.get(`${STORED}${name}`), tensors.get(`${STORED_SIZES}${name}`)];
    const lengths = sizes?.dtype === 'I32' ? [...asInt32(sizes)] : [];
    const total = lengths.reduce((sum, length) => sum + Math.max(0, length), 0);
    const data = rows?.dtype === 'F32' ? rows.data : null;
    const fits = lengths.length === count && lengths.every((length) => length >= -1);
    if (!(data instanceof Float32Array) || !fits || total !== data.length) throw damaged(where, `${what} does not fit`);
    const strange = data.find((value) => !Number.isFinite(value));
    if (strange !== undefined) throw damaged(where, `${what} holds ${strange}`);
    let at = 0;
    found.set(
      name,
      lengths.map((length) => {
        if (length < 0) return undefined;
        at += length;
        return data.slice(at - length, at);
      }),
    );
  }
  return found;
}
