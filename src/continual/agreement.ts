/** What must agree between a checkpoint and a learner for a run to go on as if it had never stopped. */
import { type DatasetSplit, type ImageDataset, imageCount } from '../data/dataset.ts';
import { CheckpointError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { StateDict } from '../nn/state-dict.ts';
import { exemplarFault, matrixFault, weightFault } from './checkpoint-faults.ts';
import type { CheckpointState } from './checkpoint-state.ts';
import { CONFIG_KEYS, type Config } from './config.ts';
import type { Learner } from './learner.ts';

/** What a run may be gone on with differently: where the data lies, and how steps come to the same results. */
const FREE: readonly (keyof Config)[] = ['data', 'capture', 'lossEvery', 'gradientCheckpointing'];

type Images = NonNullable<CheckpointState['images']>;

const shapeOf = (part: ImageDataset): Images['train'] => [imageCount(part), part.height, part.width, part.channels];

/** The shapes that a checkpoint records. */
export const imageShapes = ({ train, test }: DatasetSplit): Images => ({ train: shapeOf(train), test: shapeOf(test) });

/**
 * @param where names the checkpoint.
 * @throws {CheckpointError} naming the first thing that does not agree, or that no run leaves.
 */
export function checkAgreement(state: CheckpointState, weights: StateDict, learner: Learner, where: string): void {
  const refuse = (message: string, fix: string) => new CheckpointError({ where, message, fix });
  const settings = configDifference(state, learner);
  if (settings) throw refuse(...settings);
  const data = dataDifference(state, learner);
  if (data) throw refuse(data, 'Resume with the data the run began with.');
  const fault = faultOf(state, learner) ?? weightFault(weights);
  if (fault) throw refuse(`it is damaged: ${fault}.`, 'Go on from a copy that is whole, or start the run again.');
}

function configDifference({ config: saved }: CheckpointState, { config: given }: Learner): [string, string] | null {
  // The method first: others may follow from it.
  const keys = ['method' as const, ...CONFIG_KEYS.filter((key) => key !== 'method' && !FREE.includes(key))];
  const key = keys.find((name) => JSON.stringify(saved[name]) !== JSON.stringify(given[name]));
  if (!key) return null;
  const show = (value: unknown) => clipped(JSON.stringify(value) ?? 'none');
  return [
    `the checkpoint was made with "${key}" = ${show(saved[key])}, but this run has ${show(given[key])}.`,
    key === 'precision'
      ? 'Resume with the same --precision, and on a device with shader-f16 if the run began on one.'
      : 'Resume with the settings of the run, or start another run in a folder of its own.',
  ];
}

function dataDifference(state: CheckpointState, { scenario, images }: Learner): string | null {
  const { classOrder } = scenario;
  if (state.classOrder.join() !== classOrder.join()) {
    return `the checkpoint knows ${state.classOrder.length} classes in another order than this data gives (${classOrder.length}).`;
  }
  const shapes = imageShapes(images);
  for (const part of ['train', 'test'] as const) {
    const [saved, given] = [state.images?.[part] ?? shapes[part], shapes[part]].map((shape) => shape.join('×'));
    if (saved !== given) return `the checkpoint was made on ${saved} ${part}ing images, but here are ${given}.`;
  }
  const { labels } = images.train;
  for (const [label, exemplars] of state.memory) {
    const strayed = exemplars.find((index) => labels[index] !== label);
    if (strayed === undefined) continue;
    return strayed < labels.length
      ? `the checkpoint keeps image ${strayed} as an exemplar of class ${label}, but here it is of class ${labels[strayed]}.`
      : `the checkpoint keeps image ${strayed} as an exemplar, but there are only ${labels.length}.`;
  }
  return null;
}

function faultOf({ matrix, memory, scaler }: CheckpointState, learner: Learner): string | undefined {
  const { length } = learner.scenario.tasks;
  if (matrix.length > length) return `it comes after ${matrix.length} tasks, but there are only ${length}`;
  const fault = matrixFault(matrix) ?? exemplarFault(memory, matrix.length, learner);
  if (fault || (scaler === undefined) === (learner.scaler === null)) return fault;
  return `a run in ${learner.precision} ${scaler ? 'has no' : 'needs the'} scale of its loss`;
}
