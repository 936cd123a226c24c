/**
 * A model's tensors by PyTorch's names and in PyTorch's layouts, so that weights pass between the two in both directions.
 */
import { CheckpointError } from '../errors.ts';
import { type DType, isFloat, type TypedArray, toStored, typedArray } from '../tensor/dtype.ts';
import { type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import { otherNames } from './aliases.ts';
import { Misfits } from './misfits.ts';
import type { AnyModule, NamedTensor } from './module.ts';
import { fromTorch, torchShape, toTorch } from './torch-layout.ts';

/** One tensor of a state. */
export interface StateEntry<T extends TypedArray = TypedArray> {
  /** In PyTorch's axis order. */
  shape: Shape;
  /** f32 and f16 as a Float32Array, integers as arrays of their own kind. */
  data: T;
}

/** Tensors by name, in PyTorch's axis order. */
export type StateDict = Map<string, StateEntry>;

/** What can be loaded: any numbers that the model's tensors can hold, row-major in PyTorch's axis order. */
export type LoadableState = ReadonlyMap<string, { readonly shape: Shape; readonly data: ArrayLike<number> }>;

/** Tensors (of any module or optimizer) read back and brought into PyTorch's layouts. */
export async function readState(tensors: Iterable<NamedTensor>): Promise<StateDict> {
  const entries = [...tensors].map(
    async ({ name, tensor, layout }): Promise<[string, StateEntry]> => [
      name,
      toTorch(await tensor.data(), tensor.shape, layout),
    ],
  );
  return new Map(await Promise.all(entries));
}

/** Every parameter and buffer of a model, read back; what several names lead to once, under the first. */
export function stateDict(module: AnyModule): Promise<StateDict> {
  return readState(module.namedTensors());
}

/** How exactly a state has to fit. */
export interface LoadOptions {
  /** Every name must be there and no other (default). Otherwise what fits is loaded, and the rest reported. */
  strict?: boolean;
}

/** What was left out, as PyTorch's `load_state_dict` reports it; always empty when `strict`. */
export interface LoadReport {
  /** Tensors of the model that the state does not have. */
  readonly missing: readonly string[];
  /** What the state has beyond the model. */
  readonly unexpected: readonly string[];
}

/** Numbers as elements of the dtype, floats rounded; `null` when integers cannot hold them. */
function asElements(dtype: DType, data: ArrayLike<number>): TypedArray | null {
  const elements = typedArray(dtype, data);
  return isFloat(dtype) || elements.every((element, i) => element === data[i]) ? elements : null;
}

/**
 * Writes a state into tensors in place, after checking all of it: nothing is written when something does not fit.
 * @throws {CheckpointError} when something is missing, unexpected, of another shape, or not an integer where one is needed.
 */
export function writeState(
  tensors: Iterable<NamedTensor>,
  state: LoadableState,
  where: string,
  { strict = true }: LoadOptions = {},
): LoadReport {
  const named = [...tensors];
  const misfits = new Misfits(new Set(named.map(({ name }) => name)), new Set(state.keys()));
  const writes: (() => void)[] = [];
  for (const { name, tensor, layout } of named) {
    const entry = state.get(name);
    if (!entry) continue;
    const shape = torchShape(tensor.shape, layout);
    const elements = asElements(tensor.dtype, entry.data);
    if (!sameShape(entry.shape, shape) || entry.data.length !== sizeOf(shape)) {
      misfits.mismatched.push(`"${name}" has shape ${show(entry.shape)}, the model ${show(shape)}`);
    } else if (!elements) {
      misfits.mismatched.push(`"${name}" holds numbers that are not ${tensor.dtype}`);
    } else {
      const stored = toStored(tensor.dtype, fromTorch(elements, shape, layout));
      writes.push(() => tensor.engine.write(tensor.storage, stored));
    }
  }
  misfits.check(where, strict);
  for (const write of writes) write();
  return { missing: misfits.missing, unexpected: misfits.unexpected };
}

/** PyTorch counts batches for a momentum we do not offer, and wraps models for several devices. */
function clean(state: LoadableState, names: ReadonlySet<string>): LoadableState {
  const entries = [...state].filter(([name]) => names.has(name) || !name.endsWith('num_batches_tracked'));
  const wrapped = entries.length > 0 && entries.every(([name]) => name.startsWith('module.') && !names.has(name));
  return new Map(entries.map(([name, entry]) => [wrapped ? name.slice('module.'.length) : name, entry]));
}

/**
 * Each tensor once, under the name it is listed by.
 * @throws {CheckpointError} when names of one tensor hold different numbers.
 */
function withoutAliases(state: LoadableState, others: ReadonlyMap<string, string>, where: string): LoadableState {
  const single = new Map([...state].filter(([name]) => !others.has(name)));
  for (const [name, entry] of state) {
    const listed = others.get(name);
    if (listed === undefined) continue;
    const { data } = single.get(listed) ?? entry;
    if (data.length !== entry.data.length || Array.prototype.some.call(data, (x, i) => !Object.is(x, entry.data[i]))) {
      throw new CheckpointError({
        where,
        message: `"${name}" and "${listed}" differ; in the model they are one tensor.`,
        fix: 'Load a state of a model that shares it too, or do not share it here.',
      });
    }
    single.set(listed, entry);
  }
  return single;
}

/**
 * Loads a model's tensors in place. What several names lead to may be there under each of them.
 * Nothing is loaded when it throws.
 * @param where Names the state in errors, a file for example.
 * @throws {CheckpointError} when something is missing, unexpected or of another shape, or names of one tensor differ.
 */
export function loadStateDict(
  module: AnyModule,
  state: LoadableState,
  options: LoadOptions = {},
  where = 'loadStateDict',
): LoadReport {
  const others = otherNames(module);
  const named = [...module.namedTensors()];
  const names = new Set([...named.map(({ name }) => name), ...others.keys()]);
  return writeState(named, withoutAliases(clean(state, names), others, where), where, options);
}
