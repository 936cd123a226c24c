/**
 * A linear classifier on features that stay as they are: how much a frozen extractor knows (Alain and Bengio 2017), whatever its
 * own classifier makes of it.
 */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { expectShapes } from '../ops/expect-shapes.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import '../ops/methods.ts';
import { argmax } from '../ops/reduce.ts';
import { softmax } from '../ops/softmax.ts';
import { concat } from '../ops/strided.ts';
import { ones, tensorFrom, zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How a probe is trained. */
export interface LinearProbeOptions {
  /** λ in the mean cross entropy + λ/2 · ‖W‖², of standardised features and without the biases; 0.001 by default. */
  decay?: number;
  /** Steps of the accelerated gradient descent; 500 by default. */
  steps?: number;
}

/** Rounds of powers that tell how long a step may be. */
const ROUNDS = 30;

/**
 * Softmax regression with weight decay on standardised features: a convex problem, which accelerated gradient descent (Nesterov
 * 1983) solves from zeros without anything random.
 * @example
 * const probe = await LinearProbe.fit(model.features(images), labels, 10);
 * const said = await probe.predict(model.features(others));
 */
export class LinearProbe {
  private constructor(
    private readonly mean: Tensor,
    private readonly scale: Tensor,
    /** f32 [features + 1, classes]: the last row holds the biases. */
    private readonly weight: Tensor,
  ) {}

  /**
   * @param features f32 [n, size] of the images to learn on.
   * @param labels the class of each, from 0 to below `classes`.
   * @throws {ArgumentError} for a label that is no class, or as many labels as there are no features of.
   * @throws {ShapeError | DTypeError} unless the features are an f32 matrix.
   */
  static async fit(
    features: Tensor,
    labels: ArrayLike<number>,
    classes: number,
    { decay = 1e-3, steps = 500 }: LinearProbeOptions = {},
  ): Promise<LinearProbe> {
    const { n = 0, size = 0 } = expectShapes('LinearProbe', { features: [features, 'f32', ['n', 'size']] });
    const stray = Array.from(labels).find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
    if (labels.length !== n || stray !== undefined) {
      throw new ArgumentError({
        where: 'LinearProbe',
        message:
          stray === undefined
            ? `there are ${labels.length} labels for features of ${n} images.`
            : `a label is ${stray}; there are ${classes} classes.`,
      });
    }
    const { engine } = features;
    const [mean, scale, x, y, penalty] = noGrad(engine, () =>
      engine.scope(() => {
        const mean = features.mean(0, { keepDims: true });
        // What does not vary tells nothing.
        const scale = features.sub(mean).square().mean(0, { keepDims: true }).add(1e-12).rsqrt();
        const wanted = new Float32Array(n * classes);
        for (let i = 0; i < n; i++) wanted[i * classes + (labels[i] as number)] = 1;
        const decays = new Float32Array(size + 1).fill(decay, 0, size);
        return [
          mean,
          scale,
          withOnes(features.sub(mean).mul(scale)),
          tensorFrom(engine, wanted, [n, classes]),
          tensorFrom(engine, decays, [size + 1, 1]),
        ].map((one) => engine.keep(one)) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      }),
    );
    // The softmax's own curvature is at most 1/2.
    const step = 1 / (0.5 * (await largestCurvature(x)) + decay);
    let [at, before] = [0, 1].map(() => engine.keep(zeros(engine, [size + 1, classes]))) as [Tensor, Tensor];
    for (let i = 0; i < steps; i++) {
      const next = noGrad(engine, () =>
        engine.scope(() => {
          const ahead = at.add(at.sub(before).mul(i / (i + 3)));
          const slope = matmul(x, softmax(matmul(x, ahead)).sub(y), { transposeA: true }).div(n);
          return engine.keep(ahead.sub(slope.add(ahead.mul(penalty)).mul(step)));
        }),
      );
      before.dispose();
      [before, at] = [at, next];
    }
    for (const one of [x, y, penalty, before]) one.dispose();
    return new LinearProbe(mean, scale, at);
  }

  /** Logits f32 [n, classes] of features [n, size]; they belong to the caller. */
  logits(features: Tensor): Tensor {
    const { engine } = features;
    return noGrad(engine, () =>
      engine.scope(() => matmul(withOnes(features.sub(this.mean).mul(this.scale)), this.weight)),
    );
  }

  /** The class of the largest logit of each image, of features [n, size]. */
  async predict(features: Tensor): Promise<Int32Array> {
    const { engine } = features;
    const said = engine.scope(() => argmax(this.logits(features)));
    try {
      return (await said.data()) as Int32Array;
    } finally {
      said.dispose();
    }
  }

  /** Frees what it holds. */
  dispose(): void {
    for (const one of [this.mean, this.scale, this.weight]) one.dispose();
  }
}

const withOnes = (x: Tensor): Tensor => concat([x, ones(x.engine, [x.shape[0] as number, 1])], 1);

/** A bound on the largest eigenvalue of XᵀX/n, by powers of it. */
async function largestCurvature(x: Tensor): Promise<number> {
  const { engine, shape } = x;
  const [n, size] = shape as [number, number];
  const value = noGrad(engine, () =>
    engine.scope(() => {
      const square = matmul(x, x, { transposeA: true }).div(n);
      // No eigenvector is likely to be orthogonal to it.
      const start = Float32Array.from({ length: size }, (_, i) => 1 + Math.sin(i + 1) / 2);
      let vector = tensorFrom(engine, start, [size, 1]);
      for (let i = 0; i < ROUNDS; i++) {
        const next = matmul(square, vector);
        vector = next.div(next.square().sum().sqrt());
      }
      return matmul(square, vector).square().sum().sqrt();
    }),
  );
  try {
    // Powers come from below.
    return 1.05 * (await value.item());
  } finally {
    value.dispose();
  }
}
