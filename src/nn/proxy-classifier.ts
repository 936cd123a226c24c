/** PODNet's classifier: several proxies a class, so that a class may have several modes (Douillard et al. 2020, section 3.2). */
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { CosineLinear, type CosineLinearOptions } from './cosine-linear.ts';

/** What a {@link ProxyClassifier} may differ in. */
export interface ProxyClassifierOptions extends CosineLinearOptions {
  /** Proxies a class; 10 by default. */
  proxies?: number;
}

/**
 * A class's score is Σ_k s_k · c_k over its proxies, where c_k is the feature's cosine with proxy k and s the softmax of these
 * cosines. Proxies lie as the weights of {@link CosineLinear}: a tensor a task, the proxies of a class next to each other.
 */
export class ProxyClassifier extends CosineLinear {
  /**
   * @param classes of the first task.
   * @throws {ArgumentError} when a size is not a whole number of at least 1.
   */
  constructor(engine: Engine, inFeatures: number, classes: number, options: ProxyClassifierOptions = {}) {
    super(engine, inFeatures, classes, options, options.proxies ?? 10);
  }

  /** Proxies a class. */
  get proxies(): number {
    return this.perClass;
  }

  /**
   * Before the scale, [n, classes]: what the loss compares.
   * @param features f32 [n, inFeatures].
   * @throws {ShapeError} when the features have another size.
   * @throws {DTypeError} unless they are f32.
   */
  override cosines(features: Tensor): Tensor {
    const cosines = this.similarities(features).reshape([features.shape[0] as number, this.classes, this.proxies]);
    return cosines.softmax().mul(cosines).sum(2);
  }
}
