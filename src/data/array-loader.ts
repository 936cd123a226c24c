/** Batches of samples that lie in arrays or tensors of the user's own. */
import { ArgumentError } from '../errors.ts';
import { gather } from '../ops/gather.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { DataLoader, type LoaderOptions } from './loader.ts';

/** Numbers of all samples, as JavaScript has them. */
export type SampleArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array | number[];

/** One of the things that a sample consists of, of all samples one after the other. */
export interface ArraySource {
  readonly data: SampleArray;
  /** Of one sample; `[]` by default, a number each. */
  readonly shape?: Shape;
  /** Of the batches; by default i32 for an Int32Array, u32 for a Uint32Array and f32 for all else. */
  readonly dtype?: DType;
}

const elementsOf = (source: Tensor | ArraySource): number =>
  source instanceof Tensor ? source.size : source.data.length;
const shapeOf = (source: Tensor | ArraySource): Shape =>
  source instanceof Tensor ? source.shape.slice(1) : (source.shape ?? []);

/** A tensor of each source. */
export type Batches<Sources> = { -readonly [K in keyof Sources]: Tensor };

/**
 * Batches of samples in a seeded order that is another one each epoch: PyTorch's DataLoader over a TensorDataset. Arrays stay in
 * JavaScript, and each batch is uploaded; tensors stay on the device, and batches are picked there.
 * @example
 * const loader = new ArrayLoader(engine, [{ data: pixels, shape: [28, 28, 1] }, { data: Int32Array.from(labels) }], { batch: 32, seed: 0 });
 * for (let epoch = 0; epoch < 10; epoch++) for (const [x, y] of loader.epoch(epoch)) train(x, y);
 */
export class ArrayLoader<const Sources extends readonly (Tensor | ArraySource)[] = readonly (Tensor | ArraySource)[]> {
  /** Samples. */
  readonly count: number;
  /** Batches an epoch. */
  readonly steps: number;
  private readonly order: DataLoader;

  /**
   * @param sources arrays, or tensors whose first axis are the samples; of one count.
   * @throws {ArgumentError} when there are none, their counts differ, samples are cut off, or they make no batch.
   */
  constructor(
    readonly engine: Engine,
    private readonly sources: Sources,
    options: LoaderOptions,
  ) {
    const counts = sources.map((source) => elementsOf(source) / sizeOf(shapeOf(source)));
    const [count = 0] = counts;
    if (sources.length === 0 || !counts.every((n) => n === count && Number.isInteger(n))) {
      const given = sources.map((source) => `${elementsOf(source)} numbers in samples of ${show(shapeOf(source))}`);
      throw new ArgumentError({
        where: 'ArrayLoader',
        message: `takes sources of as many whole samples each; was given ${given.join(', ') || 'none'}.`,
      });
    }
    this.count = count;
    this.order = new DataLoader(
      Uint32Array.from({ length: count }, (_, i) => i),
      options,
    );
    this.steps = this.order.steps;
  }

  /**
   * The batches of one epoch, from step `from` on: of each source a tensor [batch, …]. They are freed when the next ones are asked for, or
   * the walk ends; what is to be kept longer is to be kept by `engine.keep` of a copy.
   */
  *epoch(epoch: number, from = 0): Generator<Batches<Sources>> {
    for (const { indices } of this.order.epoch(epoch, from)) {
      const batch = this.sources.map((source) => this.engine.keep(this.pick(source, indices)));
      try {
        yield batch as Batches<Sources>;
      } finally {
        for (const tensor of batch) tensor.dispose();
      }
    }
  }

  private pick(source: Tensor | ArraySource, indices: Uint32Array): Tensor {
    const { engine } = this;
    if (source instanceof Tensor) {
      return engine.scope(() => gather(source.detach(), engine.tensor(Int32Array.from(indices))));
    }
    const { data, dtype } = source;
    const shape = shapeOf(source);
    const size = sizeOf(shape);
    // Node's Buffer has a slice of its own that copies nothing: the rows would be written into the user's data.
    const rows =
      data instanceof Uint8Array ? new Uint8Array(indices.length * size) : data.slice(0, indices.length * size);
    indices.forEach((index, i) => {
      for (let k = 0; k < size; k++) rows[i * size + k] = data[index * size + k] as number;
    });
    return engine.tensor(rows, [indices.length, ...shape], dtype);
  }
}
