/** A batch that computes what a loss asks for, once. */
import { noGrad } from '../autograd/tape.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { gather } from '../ops/gather.ts';
import { concat } from '../ops/strided.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Batch, IncrementalModel } from './method.ts';

type OutputsOf<M extends IncrementalModel> = ReturnType<M['outputs']>;

/** What a batch is of. */
export interface BatchParts<M extends IncrementalModel> {
  readonly model: M;
  readonly old: M | null;
  /** f32 [n, h, w, c]. */
  readonly images: Tensor;
  /** i32 [n]. */
  readonly targets: Tensor;
  /** Which of the task's images these are, u32 [n]. */
  readonly indices: Tensor;
  /** The phase's; a row for each image of the task. */
  readonly values?: Readonly<Record<string, Tensor>>;
  /** The phase's other batches of this step. */
  readonly drawn?: Readonly<Record<string, LazyBatch<M>>>;
}

export class LazyBatch<M extends IncrementalModel> implements Batch<M> {
  readonly model: M;
  readonly images: Tensor;
  readonly targets: Tensor;
  private ownLogits: Tensor | null = null;
  private ownOutputs: OutputsOf<M> | null = null;
  private teacherLogits: Tensor | null = null;
  private teacherOutputs: OutputsOf<M> | null = null;

  constructor(private readonly parts: BatchParts<M>) {
    this.model = parts.model;
    this.images = parts.images;
    this.targets = parts.targets;
  }

  get logits(): Tensor {
    this.ownLogits ??= this.ownOutputs?.logits ?? this.model.forward(this.images);
    return this.ownLogits;
  }

  get outputs(): OutputsOf<M> {
    this.ownOutputs ??= this.model.outputs(this.images) as OutputsOf<M>;
    return this.ownOutputs;
  }

  get oldLogits(): Tensor | null {
    const { old } = this.parts;
    if (!old) return null;
    this.teacherLogits ??= this.teacherOutputs?.logits ?? noGrad(old.engine, () => old.forward(this.images));
    return this.teacherLogits;
  }

  get oldOutputs(): OutputsOf<M> | null {
    const { old } = this.parts;
    if (!old) return null;
    this.teacherOutputs ??= noGrad(old.engine, () => old.outputs(this.images) as OutputsOf<M>);
    return this.teacherOutputs;
  }

  // Fields, as a loss may take a batch apart.
  readonly values = (name: string): Tensor =>
    gather(named(this.parts.values, name, 'values'), this.parts.indices.cast('i32'));

  readonly drawn = (name: string): LazyBatch<M> => named(this.parts.drawn, name, 'drawn');

  readonly joined = (other: Batch<M>): LazyBatch<M> => {
    const { parts: own } = this;
    const { parts } = other as LazyBatch<M>;
    const join = (part: 'images' | 'targets' | 'indices') => concat([own[part], parts[part]], 0);
    return new LazyBatch({ ...own, images: join('images'), targets: join('targets'), indices: join('indices') });
  };
}

/** @throws {ConfigError} */
function named<T>(all: Readonly<Record<string, T>> = {}, name: string, part: 'values' | 'drawn'): T {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(all);
  throw new ConfigError({
    where: `batch.${part}`,
    message: `the phase has no "${clipped(name)}".`,
    fix:
      names.length > 0
        ? `Its ${part}: ${names.join(', ')}.`
        : `Give it to the phase: { loss, ${part}: { ${clipped(name)}: … } }.`,
  });
}
