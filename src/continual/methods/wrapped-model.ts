/** A network in a model that has more than it: what methods build on that keep something beside the network. */
import { Module } from '../../nn/module.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { IncrementalModel, LinearModel, Outputs } from '../method.ts';

export class WrappedModel extends Module implements IncrementalModel {
  constructor(readonly net: LinearModel) {
    super(net.engine);
  }

  get classes(): number {
    return this.net.classes;
  }

  get featureSize(): number {
    return this.net.featureSize;
  }

  forward(images: Tensor): Tensor {
    return this.net.forward(images);
  }

  features(images: Tensor): Tensor {
    return this.net.features(images);
  }

  outputs(images: Tensor): Outputs {
    return this.net.outputs(images);
  }

  grow(classes: number, seed: number): void {
    this.net.grow(classes, seed);
  }
}
