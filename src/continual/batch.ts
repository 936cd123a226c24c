/** A batch that computes what a loss asks for, once. */
import { noGrad } from '../autograd/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Batch, IncrementalModel } from './method.ts';

type OutputsOf<M extends IncrementalModel> = ReturnType<M['outputs']>;

export class LazyBatch<M extends IncrementalModel> implements Batch<M> {
  private ownLogits: Tensor | null = null;
  private ownOutputs: OutputsOf<M> | null = null;
  private teacherLogits: Tensor | null = null;
  private teacherOutputs: OutputsOf<M> | null = null;

  constructor(
    readonly model: M,
    private readonly old: M | null,
    readonly images: Tensor,
    readonly targets: Tensor,
  ) {}

  get logits(): Tensor {
    this.ownLogits ??= this.ownOutputs?.logits ?? this.model.forward(this.images);
    return this.ownLogits;
  }

  get outputs(): OutputsOf<M> {
    this.ownOutputs ??= this.model.outputs(this.images) as OutputsOf<M>;
    return this.ownOutputs;
  }

  get oldLogits(): Tensor | null {
    const { old } = this;
    if (!old) return null;
    this.teacherLogits ??= this.teacherOutputs?.logits ?? noGrad(old.engine, () => old.forward(this.images));
    return this.teacherLogits;
  }

  get oldOutputs(): OutputsOf<M> | null {
    const { old } = this;
    if (!old) return null;
    this.teacherOutputs ??= noGrad(old.engine, () => old.outputs(this.images) as OutputsOf<M>);
    return this.teacherOutputs;
  }
}
