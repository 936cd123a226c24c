/** What optimizers train: a module, plain tensors, or groups of either with rates of their own. */
import { ArgumentError, DTypeError } from '../errors.ts';
import type { AnyModule, NamedTensor } from '../nn/module.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';

/** Parameters with rates of their own, as PyTorch's; the optimizer's own are for what is left out. */
export interface ParameterGroup {
  /** What is trained of a module, or tensors that require gradients. */
  readonly parameters: AnyModule | readonly Tensor[];
  /** Learning rate; may be set before any step. */
  lr?: number | undefined;
  /** May be set before any step. */
  weightDecay?: number | undefined;
}

/** A module, whose parameters keep its names; tensors, which are named by their places; or groups. */
export type Trained = AnyModule | readonly Tensor[] | readonly ParameterGroup[];

/** A group with its tensors by name. */
export interface TrainedGroup {
  readonly group: ParameterGroup;
  readonly named: readonly NamedTensor[];
}

/** Not by the class, which who trains tensors alone would carry. */
const isModule = (trained: Trained): trained is AnyModule => 'namedParameters' in trained;

function ofModule(module: AnyModule, where: string): NamedTensor[] {
  const named = module.namedParameters();
  if (named.length > 0) return named;
  const { length } = [...module.namedTensors()];
  throw new ArgumentError({
    where,
    message: `there is nothing to train: ${module.constructor.name} has ${length > 0 ? `${length} tensors, and none of them requires a gradient` : 'no parameters'}.`,
    fix:
      length > 0
        ? 'Call unfreeze() on what is to be trained, before the optimizer is made.'
        : 'Keep parameters and layers in fields of the module, or in arrays, maps and plain objects there.',
  });
}

function ofTensors(tensors: readonly Tensor[], where: string): NamedTensor[] {
  const still = tensors.find((tensor) => !tensor.requiresGrad || !tensor.isLeaf);
  if (still) {
    throw new ArgumentError({
      where,
      message: `${still} ${still.isLeaf ? 'requires no gradient' : 'is the result of an operation'}.`,
      fix: 'Set requiresGrad on what is to be trained, and keep it: engine.keep(tensor).',
    });
  }
  return tensors.map((tensor, i) => ({ name: String(i), tensor, layout: 'same' }));
}

/**
 * What is trained, each tensor once.
 * @throws {ArgumentError} when that is nothing, a tensor requires no gradient, or is there twice.
 * @throws {DTypeError} when one of them is not f32.
 * @throws {EngineMismatchError} when they belong to several engines.
 */
export function trainedGroups(trained: Trained, where: string): TrainedGroup[] {
  const hasGroups = !isModule(trained) && trained.length > 0 && !(trained[0] instanceof Tensor);
  const groups = hasGroups ? (trained as readonly ParameterGroup[]) : [{ parameters: trained as AnyModule | Tensor[] }];
  const all = groups.map((group, i) => {
    const { parameters } = group;
    const named = isModule(parameters) ? ofModule(parameters, where) : ofTensors(parameters, where);
    return { group, named: hasGroups ? named.map((one) => ({ ...one, name: `${i}.${one.name}` })) : named };
  });
  const named = all.flatMap((group) => group.named);
  if (named.length === 0) {
    throw new ArgumentError({ where, message: 'there is nothing to train: the list is empty.' });
  }
  const tensors = named.map(({ tensor }) => tensor);
  commonEngine(where, tensors);
  const twice = named.find(({ tensor }, i) => tensors.indexOf(tensor) !== i);
  if (twice) {
    throw new ArgumentError({
      where,
      message: `the parameter "${twice.name}" of shape ${show(twice.tensor.shape)} is there twice.`,
      fix: 'Give each tensor to one group alone.',
    });
  }
  const other = named.find(({ tensor }) => tensor.dtype !== 'f32');
  if (other) {
    throw new DTypeError({
      where,
      message: `the parameter "${other.name}" is ${other.tensor.dtype}; optimizers update f32.`,
      fix: 'Keep parameters in f32: convolutions and linear layers round them for f16 images by themselves.',
    });
  }
  return all;
}
