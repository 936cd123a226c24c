/** Activations in modules of their own, by PyTorch's names, for `Sequential`; all keep the shape. ReLU is in `layers.ts`. */
import {
  elu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  selu,
} from '../ops/activations.ts';
import '../ops/methods.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { parameter } from './init.ts';
import { Module } from './module.ts';

/** x itself. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x · sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** log(1 + eˣ). */
export class Softplus extends Module {
  forward(x: Tensor): Tensor {
    return x.softplus();
  }
}

/** x · Φ(x), exactly or by the hyperbolic tangent. */
export class GELU extends Module {
  /** @param approximate `tanh` for {@link geluTanh}; `none` by default. */
  constructor(
    engine: Engine,
    readonly approximate: 'none' | 'tanh' = 'none',
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return this.approximate === 'tanh' ? geluTanh(x) : x.gelu();
  }
}

/** See {@link leakyRelu}. */
export class LeakyReLU extends Module {
  constructor(
    engine: Engine,
    readonly slope = 0.01,
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.slope);
  }
}

/** See {@link elu}. */
export class ELU extends Module {
  constructor(
    engine: Engine,
    readonly alpha = 1,
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }
}

/** A leaky ReLU whose slopes are learnt; see {@link prelu}. */
export class PReLU extends Module {
  /** f32 [count]. */
  weight: Tensor;

  /**
   * @param count of slopes: 1 (default), or one a channel.
   * @throws {ArgumentError} when `count` is not a whole number of at least 1.
   */
  constructor(engine: Engine, count = 1, slope = 0.25) {
    super(engine);
    checkSizes('PReLU', { count });
    this.weight = parameter(engine, [count], () => slope);
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** See {@link relu6}. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** See {@link selu}. */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** See {@link hardSigmoid}. */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return hardSigmoid(x);
  }
}

/** See {@link hardSwish}. */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return hardSwish(x);
  }
}

/** See {@link mish}. */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** See {@link logSigmoid}. */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** exp(x) / Σ exp(x) along an axis, the last by default. */
export class Softmax extends Module {
  constructor(
    engine: Engine,
    readonly axis = -1,
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }
}

/** x − log Σ exp(x) along an axis, the last by default. */
export class LogSoftmax extends Module {
  constructor(
    engine: Engine,
    readonly axis = -1,
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }
}
