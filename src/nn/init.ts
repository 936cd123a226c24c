/**
 * PyTorch's initialisations. Drawn on the CPU: the same seed gives bit-identical weights on every adapter.
 */
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A tensor that is trained: it lives until its module is disposed of. */
export function parameter(engine: Engine, shape: Shape, values: (index: number) => number): Tensor {
  const tensor = engine.keep(
    engine.tensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => values(i)),
      shape,
    ),
  );
  tensor.requiresGrad = true;
  return tensor;
}

/** A tensor that is kept with the model but not trained. */
export function buffer(engine: Engine, shape: Shape, value: number): Tensor {
  return engine.keep(engine.full(shape, value));
}

/** Uniform in ±1/√fanIn: PyTorch's default for linear and convolution layers (He et al. 2015 with a = √5). */
export function kaimingUniform(engine: Engine, shape: Shape, fanIn: number, random: Random): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(engine, shape, () => random.uniform(-bound, bound));
}

/** Normal with standard deviation √(2/fan): He et al. 2015, eq. 10 (fan in) and eq. 14 (fan out), for ReLU networks. */
export function kaimingNormal(engine: Engine, shape: Shape, fan: number, random: Random): Tensor {
  const std = Math.sqrt(2 / fan);
  return parameter(engine, shape, () => random.normal(0, std));
}
