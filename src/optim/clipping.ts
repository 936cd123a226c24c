/** Gradient clipping in place, without waiting for the GPU: a few launches for any number of parameters. */
import clipGradients from '../../shaders/optim/clip-gradients.wgsl';
import clipNorm from '../../shaders/optim/clip-norm.wgsl';
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { copyInto } from '../tensor/copy-into.ts';
import type { FloatType } from '../tensor/dtype.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { groupsOf, launchSlots, type SlotKernel } from './slots.ts';

const DTYPES: readonly FloatType[] = ['f32', 'f16'];
/** Values a workgroup. */
const SPAN = 1024;

/**
 * The gradients of these parameters, each parameter once, ready to be overwritten: what something else uses too (a gradient
 * that two leaves share, a seed) is copied first.
 */
function ownGradients(parameters: readonly Tensor[]): Tensor[] {
  return [...new Set(parameters)].flatMap((leaf) => {
    const shared = leaf.grad;
    if (!shared || shared.storage.refs === 1) return shared ?? [];
    const own = Tensor.empty(leaf.engine, shared.shape, shared.dtype, 'grad').moveTo(null);
    copyInto(shared, own);
    shared.dispose();
    leaf.grad = own;
    return own;
  });
}

/** Runs one of the file's kernels over all gradients. */
function overGradients(
  engine: Runtime,
  kind: 'norm' | 'scale' | 'limit',
  gradients: readonly Tensor[],
  shared: readonly Tensor[],
  value = 0,
): void {
  let before = 0;
  for (const dtype of DTYPES) {
    const slots = gradients.flatMap((g) => (g.dtype === dtype ? [{ size: g.size, tensors: [g] }] : []));
    if (slots.length === 0) continue;
    const kernel: SlotKernel = {
      kernel: { name: 'clip_gradients', source: clipGradients, entry: kind },
      constants: { T: dtype, SPAN },
      slotCounts: [7, 1],
      span: SPAN,
      value,
    };
    launchSlots(engine, kernel, shared, slots, before);
    before += groupsOf(slots, SPAN);
  }
}

function checkLimit(where: string, what: string, most: number): void {
  if (!(most > 0)) throw new ArgumentError({ where, message: `${what} must be above 0, not ${most}.` });
}

/**
 * Scales all gradients together, in place, so that their joint L2 norm is at most `most` (Pascanu et al. 2013): by most / (norm + 1e-6)
 * where that is below 1. A parameter given twice counts once. Exact for gradients whose squares float32 cannot hold.
 * Gradients that are not finite are treated as in PyTorch: with an infinite one the norm is infinite, finite gradients become
 * 0 and infinite ones NaN; with a NaN the norm and all gradients become NaN. `GradScaler` skips such steps.
 * @param most The largest norm; `Infinity` only measures.
 * @returns the norm before, a scalar tensor on the device.
 * @throws {ArgumentError} when no parameter has a gradient, or `most` is not above 0.
 * @throws {EngineMismatchError} when the parameters belong to several engines.
 */
export function clipGradNorm(parameters: readonly Tensor[], most: number): Tensor {
  checkLimit('clipGradNorm', 'the largest norm', most);
  const gradients = ownGradients(parameters);
  if (gradients.length === 0) {
    throw new ArgumentError({
      where: 'clipGradNorm',
      message: 'no parameter has a gradient.',
      fix: 'Call it after backward() and before step().',
    });
  }
  const engine = commonEngine('clipGradNorm', gradients);
  const count = groupsOf(gradients, SPAN);
  const norm = Tensor.empty(engine, [], 'f32', 'clipGradNorm');
  const partials = Tensor.empty(engine, [count, 4], 'f32', 'clipGradNorm');
  const coefficient = Tensor.empty(engine, [], 'f32', 'clipGradNorm');
  overGradients(engine, 'norm', gradients, [partials]);
  engine.dispatch({
    kernel: { name: 'clip_norm', source: clipNorm },
    buffers: [partials, norm, coefficient].map((t) => t.storage),
    params: { count, most },
    workgroups: [1],
  });
  if (most < Number.POSITIVE_INFINITY) overGradients(engine, 'scale', gradients, [coefficient]);
  partials.dispose();
  coefficient.dispose();
  return norm;
}

/**
 * Limits every element of every gradient to [−most, most], in place; NaN stays NaN.
 * @throws {ArgumentError} when `most` is not above 0.
 * @throws {EngineMismatchError} when the parameters belong to several engines.
 */
export function clipGradValue(parameters: readonly Tensor[], most: number): void {
  checkLimit('clipGradValue', 'the limit', most);
  const gradients = ownGradients(parameters);
  if (gradients.length > 0) overGradients(commonEngine('clipGradValue', gradients), 'limit', gradients, [], most);
}
