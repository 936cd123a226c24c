/**
 * A model's tensors by PyTorch's names and in PyTorch's layouts, so that weights pass between the two in both directions.
 */
import { CheckpointError } from '../gpu/errors.ts';
import { type Shape, sameShape, show, sizeOf, stridesOf } from '../tensor/shape.ts';
import type { Module, NamedTensor, TorchLayout } from './module.ts';

export interface StateEntry {
  shape: Shape;
  data: Float32Array<ArrayBuffer>;
}

/** Tensors by name, in PyTorch's axis order. */
export type StateDict = Map<string, StateEntry>;

/** Axis order here to axis order there. */
const TO_TORCH: Record<TorchLayout, readonly number[] | null> = { OIHW: [3, 2, 0, 1], OI: [1, 0], same: null };

/** Reorders the axes of a row-major array; axis i of the result is axis `order[i]` of the source. */
export function permute(data: Float32Array<ArrayBuffer>, shape: Shape, order: readonly number[]): StateEntry {
  const target = order.map((axis) => shape[axis] as number);
  const strides = stridesOf(shape);
  const steps = order.map((axis) => strides[axis] as number);
  const out = new Float32Array(data.length);
  const index = new Array<number>(target.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] as number;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      if (++(index[axis] as number) < (target[axis] as number)) break;
      from -= (steps[axis] as number) * (target[axis] as number);
      index[axis] = 0;
    }
  }
  return { shape: target, data: out };
}

const inverse = (order: readonly number[]): number[] => order.map((_, i) => order.indexOf(i));

/** Tensors (of whatever module or optimizer) read back and brought into PyTorch's layouts. */
export async function readState(tensors: Iterable<NamedTensor>): Promise<StateDict> {
  const entries = [...tensors].map(async ({ name, tensor, layout }): Promise<[string, StateEntry]> => {
    const data = (await tensor.data()) as Float32Array<ArrayBuffer>;
    const order = TO_TORCH[layout];
    return [name, order ? permute(data, tensor.shape, order) : { shape: tensor.shape, data }];
  });
  return new Map(await Promise.all(entries));
}

/** Every parameter and buffer of a model, read back. */
export function stateDict(module: Module): Promise<StateDict> {
  return readState(module.namedTensors());
}

export interface LoadOptions {
  /** Every name must be there and no other (default). Otherwise what fits is loaded. */
  strict?: boolean;
}

/** PyTorch counts batches for a momentum we do not offer, and wraps models for several devices. */
function clean(state: StateDict): StateDict {
  const entries = [...state].filter(([name]) => !name.endsWith('num_batches_tracked'));
  const wrapped = entries.length > 0 && entries.every(([name]) => name.startsWith('module.'));
  return new Map(entries.map(([name, entry]) => [wrapped ? name.slice('module.'.length) : name, entry]));
}

/** Writes a state into tensors in place, after checking all of it: nothing is written when something does not fit. */
export function writeState(
  tensors: Iterable<NamedTensor>,
  state: StateDict,
  where: string,
  { strict = true }: LoadOptions = {},
): void {
  const given = clean(state);
  const named = [...tensors];
  const problems: string[] = [];
  const writes: (() => void)[] = [];
  for (const { name, tensor, layout } of named) {
    const entry = given.get(name);
    given.delete(name);
    if (!entry) {
      problems.push(`"${name}" is missing`);
      continue;
    }
    const order = TO_TORCH[layout];
    const expected = order ? order.map((axis) => tensor.shape[axis] as number) : tensor.shape;
    if (!sameShape(entry.shape, expected) || entry.data.length !== sizeOf(expected)) {
      problems.push(`"${name}" has shape ${show(entry.shape)}, the model ${show(expected)}`);
      continue;
    }
    const { data } = order ? permute(entry.data, entry.shape, inverse(order)) : entry;
    writes.push(() => tensor.engine.write(tensor.storage, data));
  }
  for (const name of given.keys()) problems.push(`"${name}" is not in the model`);
  const fatal = strict ? problems : problems.filter((problem) => problem.includes('has shape'));
  if (fatal.length > 0) {
    const more = fatal.length > 3 ? `, and ${fatal.length - 3} more` : '';
    throw new CheckpointError({
      where,
      message: `the state does not fit the model: ${fatal.slice(0, 3).join('; ')}${more}.`,
      fix: 'Create the model with the same depth, width, channels and number of classes as the one that was saved.',
    });
  }
  for (const write of writes) write();
}

/**
 * Loads a model's tensors in place.
 * @throws CheckpointError naming what is missing, unexpected or of another shape; nothing is loaded then.
 */
export function loadStateDict(module: Module, state: StateDict, options: LoadOptions = {}): void {
  writeState(module.namedTensors(), state, 'loadStateDict', options);
}
