/** Batches of indices in a seeded order. The images themselves stay on the GPU: a batch is a list of numbers. */
import { ArgumentError } from '../errors.ts';
import { Random } from '../tensor/random.ts';

/** How batches are made. */
export interface LoaderOptions {
  /** Images a batch. */
  batch: number;
  /** Of the order; every epoch has another one. */
  seed: number;
  /** A new order every epoch (default), or the given order. */
  shuffle?: boolean;
  /** Leave out the last batch where it is not full. Default false, as in PyTorch. */
  dropLast?: boolean;
}

/** One batch: which images, and where in the run. */
export interface Batch {
  /** From 0. */
  epoch: number;
  /** The batch's number in its epoch, from 0. */
  step: number;
  /** Which images of the data set, at most `batch` of them. */
  indices: Uint32Array<ArrayBuffer>;
}

/** The indices, in order, whose label is one of `classes`: the view of a data set that a task has. */
export function indicesOfClasses(labels: ArrayLike<number>, classes: Iterable<number>): Uint32Array<ArrayBuffer> {
  const wanted = new Set(classes);
  return Uint32Array.from(Array.from(labels).flatMap((label, index) => (wanted.has(label) ? [index] : [])));
}

/**
 * Walks over a choice of images, epoch by epoch.
 * The order of epoch e depends only on the seed, on e and on the indices: a resumed run asks for the epoch and the step
 * where it stopped and goes on with the same batches.
 */
export class DataLoader {
  /** Batches an epoch. */
  readonly steps: number;
  private readonly indices: Uint32Array<ArrayBuffer>;

  /**
   * `indices`: which images to walk over.
   * @throws {ArgumentError} if they make no batch.
   */
  constructor(
    indices: ArrayLike<number>,
    private readonly options: LoaderOptions,
  ) {
    const { batch, dropLast = false } = options;
    if (!Number.isInteger(batch) || batch < 1) {
      throw new ArgumentError({
        where: 'DataLoader',
        message: `a batch of ${batch} images is impossible.`,
        fix: 'Use 1 or more.',
      });
    }
    this.indices = Uint32Array.from(indices);
    this.steps = dropLast ? Math.floor(indices.length / batch) : Math.ceil(indices.length / batch);
    if (this.steps === 0) {
      throw new ArgumentError({
        where: 'DataLoader',
        message: `${indices.length} images make no batch of ${batch}${dropLast ? ' when the last one is dropped' : ''}.`,
        fix: 'Give more images, a smaller batch or dropLast: false.',
      });
    }
  }

  /** How many images an epoch visits. */
  get length(): number {
    return this.options.dropLast ? this.steps * this.options.batch : this.indices.length;
  }

  /** The order of one epoch. */
  order(epoch: number): Uint32Array<ArrayBuffer> {
    const order = this.indices.slice();
    return this.options.shuffle === false ? order : Random.of(this.options.seed, 'order', epoch).shuffle(order);
  }

  /** The batches of one epoch, from step `from` on. */
  *epoch(epoch: number, from = 0): Generator<Batch> {
    const order = this.order(epoch);
    const { batch } = this.options;
    for (let step = from; step < this.steps; step++) {
      yield { epoch, step, indices: order.slice(step * batch, (step + 1) * batch) };
    }
  }
}
