/** A classifier by cosines, as LUCIR's (Hou et al. 2019): the lengths of features and weights take no part. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { expectShapes } from '../ops/expect-shapes.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import '../ops/methods.ts';
import { concat, transpose } from '../ops/strided.ts';
import { normalize, vectorNorm } from '../ops/vector-norm.ts';
import { copyInto } from '../tensor/copy-into.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { kaimingUniform, parameter } from './init.ts';
import { Module, type TorchLayout } from './module.ts';

/** What a {@link CosineLinear} layer may differ in. */
export interface CosineLinearOptions {
  /** η in the beginning; 1 by default. */
  scale?: number;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/**
 * η · cos(feature, weight) for each class, with a learnt scale η. The weights lie in a tensor a task, `weights.0` the first one's,
 * so that those of old tasks can be held still.
 */
export class CosineLinear extends Module {
  /** [in, classes of the task · vectors a class] each; PyTorch's are the other way round. */
  readonly weights: Tensor[] = [];
  /** η, [1]. */
  readonly scale: Tensor;

  /**
   * @param classes of the first task.
   * @param perClass weight vectors a class; 1 but for the classes built on this one.
   * @throws {ArgumentError} when a size is not a whole number of at least 1.
   */
  constructor(
    engine: Engine,
    readonly inFeatures: number,
    classes: number,
    { scale = 1, random = layerRandom(engine) }: CosineLinearOptions = {},
    protected readonly perClass = 1,
  ) {
    super(engine);
    if (![inFeatures, perClass].every((size) => Number.isInteger(size) && size >= 1)) {
      throw new ArgumentError({
        where: new.target.name,
        message: `has ${inFeatures} features and ${perClass} vectors a class; whole numbers of at least 1 were expected.`,
      });
    }
    this.grow(classes, random);
    this.scale = parameter(engine, [1], () => scale);
  }

  protected override layoutOf(field: string): TorchLayout {
    return field === 'weights' ? 'OI' : 'same';
  }

  /** Classes so far. */
  get classes(): number {
    return this.weights.reduce((sum, { shape }) => sum + (shape[1] as number), 0) / this.perClass;
  }

  /**
   * The cosine with every weight vector, [n, classes · vectors a class]; 0 where one of the two is zeros.
   * @param features f32 [n, inFeatures].
   * @throws {ShapeError} when the features have another size.
   * @throws {DTypeError} unless they are f32.
   */
  protected similarities(features: Tensor): Tensor {
    expectShapes(this.constructor.name, { features: [features, 'f32', ['n', this.inFeatures]] });
    const all = this.weights.length === 1 ? (this.weights[0] as Tensor) : concat(this.weights, 1);
    return matmul(normalize(features), normalize(all, 0));
  }

  /**
   * Before the scale, [n, classes]: what margin ranking compares.
   * @param features f32 [n, inFeatures].
   * @throws {ShapeError} when the features have another size.
   * @throws {DTypeError} unless they are f32.
   */
  cosines(features: Tensor): Tensor {
    return this.similarities(features);
  }

  /** Logits [n, classes] of features [n, inFeatures]. */
  forward(features: Tensor): Tensor {
    return this.cosines(features).mul(this.scale);
  }

  /**
   * The classes of one more task, with weights drawn as in a new layer.
   * @param classes in all.
   * @throws {ArgumentError} when that is not more than before.
   */
  grow(classes: number, random: Random = layerRandom(this.engine)): void {
    const before = this.classes;
    if (!(Number.isInteger(classes) && classes > before)) {
      throw new ArgumentError({
        where: this.constructor.name,
        message: `cannot grow from ${before} to ${classes} classes; a whole number above ${before} was expected.`,
      });
    }
    const shape = [this.inFeatures, (classes - before) * this.perClass];
    this.weights.push(kaimingUniform(this.engine, shape, this.inFeatures, random));
  }

  /** Trains the weights of old tasks no more, or again; optimizers made before do not know of it. */
  freezeOld(frozen = true): void {
    for (const weight of this.weights.slice(0, -1)) weight.requiresGrad = !frozen;
  }

  /**
   * Weights for the newest task's classes from what their features look like: the direction of the given vectors, the mean length
   * of the old weights, or 1 without any (Hou et al. 2019's imprinting).
   * @param vectors f32 [new classes · vectors a class, inFeatures], class by class: the mean normalised features, for instance.
   * @throws {ShapeError} when there is not one for each weight vector.
   * @throws {DTypeError} unless they are f32.
   */
  imprint(vectors: Tensor): void {
    const newest = this.weights.at(-1) as Tensor;
    expectShapes(`${this.constructor.name}.imprint`, {
      vectors: [vectors, 'f32', [newest.shape[1] as number, this.inFeatures]],
    });
    const { engine } = this;
    noGrad(engine, () =>
      engine.scope(() => {
        const old = this.weights.slice(0, -1);
        const unit = transpose(normalize(vectors));
        const values = old.length > 0 ? unit.mul(vectorNorm(concat(old, 1), 0).mean()) : unit;
        copyInto(values, newest);
      }),
    );
  }
}
