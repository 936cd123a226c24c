/** Modules under gradient checkpointing. */
import { recomputed } from '../autograd/recompute.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BatchNorm2d } from './layers.ts';
import type { AnyModule, Module } from './module.ts';

/** Runs `fn` with running statistics that stay as they are. */
function withStillStatistics<T>(module: AnyModule, fn: () => T): T {
  const norms = [...module.namedModules()].flatMap(([, inner]) => (inner instanceof BatchNorm2d ? [inner] : []));
  const before = norms.map(({ momentum }) => momentum);
  for (const norm of norms) norm.momentum = 0;
  try {
    return fn();
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = before[i] as number;
    });
  }
}

/** `module.forward(x)` with its activations made again in the backward pass; running statistics move once. */
export function checkpointed(module: Module, x: Tensor): Tensor {
  let runs = 0;
  const forward = (input: Tensor) =>
    runs++ === 0 ? module.forward(input) : withStillStatistics(module, () => module.forward(input));
  return recomputed(forward, x, module.parameters());
}
