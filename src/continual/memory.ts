/** Exemplars: the few images of earlier tasks that a learner keeps, their pixels included. */
import { bytesPerImage, type ImageBytes, type ImageFormat } from '../data/image-bytes.ts';
import { ConfigError } from '../errors.ts';
import type { Random } from '../tensor/random.ts';
import type { Selection } from './learner-settings.ts';

export interface MemoryOptions {
  /** Exemplars in all, shared evenly among the classes seen; of a reservoir, among nobody. */
  readonly total: number;
  /** Exemplars a class, however many classes there are; 0 shares out `total` instead. */
  readonly perClass?: number;
}

/** One exemplar. */
export interface Exemplar {
  /** Its logit. */
  readonly label: number;
  /** uint8 [height, width, channels]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** What its method stored with it, by name; see `Method.stores`. */
  readonly values?: Readonly<Record<string, Float32Array>>;
}

export class ExemplarMemory {
  private kept: readonly Exemplar[] = [];
  /** Images that a reservoir has been offered, by class and in all. */
  private readonly offered = new Map<number, number>();

  constructor(readonly options: MemoryOptions) {}

  /** Every exemplar: class by class in order of arrival, best first; of a reservoir, by place. */
  get exemplars(): readonly Exemplar[] {
    return this.kept;
  }

  get size(): number {
    return this.kept.length;
  }

  /** Exemplars of a class. */
  of(label: number): readonly Exemplar[] {
    return this.kept.filter((exemplar) => exemplar.label === label);
  }

  /**
   * Exemplars a class may have when `classes` have been seen.
   * @throws {ConfigError} when that is less than one.
   */
  quota(classes: number): number {
    const { total, perClass = 0 } = this.options;
    const quota = perClass > 0 ? perClass : Math.floor(total / classes);
    if (quota < 1) {
      throw new ConfigError({
        where: 'memory',
        message: `${total} exemplars are too few for ${classes} classes: every class needs at least one.`,
        fix: `Use --memory ${classes} or more, or a method without memory.`,
      });
    }
    return quota;
  }

  /**
   * Whether there is room for something of every class, before anything is learnt.
   * @throws {ConfigError} when a class could have no exemplar, or a reservoir would keep nothing.
   */
  assertRoom(classes: number, selection: Selection): void {
    if (selection !== 'reservoir') {
      this.quota(classes);
      return;
    }
    const { total, perClass = 0 } = this.options;
    if (total > 0 || perClass > 0) return;
    throw new ConfigError({
      where: 'memory',
      message: 'a reservoir of 0 exemplars keeps nothing.',
      fix: 'Use --memory 1 or more, or a method without memory.',
    });
  }

  /** Cuts every class down to its quota, worst exemplars first. */
  truncate(quota: number): void {
    const counts = new Map<number, number>();
    this.kept = this.kept.filter(({ label }) => {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      return count <= quota;
    });
  }

  /** Puts others in the places of exemplars, of the same classes. */
  replace(by: ReadonlyMap<Exemplar, Exemplar>): void {
    this.kept = this.kept.map((exemplar) => by.get(exemplar) ?? exemplar);
  }

  /** Keeps these, best first, for a class, instead of those it had; a class that is new comes last. */
  set(label: number, exemplars: readonly Exemplar[]): void {
    const first = this.kept.findIndex((exemplar) => exemplar.label === label);
    const others = this.kept.filter((exemplar) => exemplar.label !== label);
    this.kept =
      first < 0 ? [...others, ...exemplars] : [...others.slice(0, first), ...exemplars, ...others.slice(first)];
  }

  /**
   * Offers images to a reservoir (Vitter 1985, algorithm R): of all that were ever offered, each is in it with the same
   * probability. With `perClass` each class has a reservoir of its own.
   * @param stream in the order in which they are seen.
   */
  offer(stream: readonly Exemplar[], random: Random): void {
    const { total, perClass = 0 } = this.options;
    const kept = [...this.kept];
    for (const candidate of stream) {
      const key = perClass > 0 ? candidate.label : -1;
      const seen = (this.offered.get(key) ?? 0) + 1;
      this.offered.set(key, seen);
      const places = perClass > 0 ? placesOf(kept, candidate.label) : null;
      const capacity = perClass > 0 ? perClass : total;
      if ((places?.length ?? kept.length) < capacity) {
        kept.push(candidate);
        continue;
      }
      const drawn = random.int(seen);
      if (drawn < capacity) kept[places ? (places[drawn] as number) : drawn] = candidate;
    }
    this.kept = kept;
  }

  /** Their pixels in one, in order. */
  images(format: ImageFormat): ImageBytes {
    const bytes = bytesPerImage(format);
    const data = new Uint8Array(this.size * bytes);
    for (const [place, { pixels }] of this.kept.entries()) data.set(pixels, place * bytes);
    const { height, width, channels } = format;
    return { data, count: this.size, height, width, channels };
  }

  /** Another memory with the same exemplars. */
  copy(): ExemplarMemory {
    const copy = new ExemplarMemory(this.options);
    copy.restore(this.kept, this.counts);
    return copy;
  }

  /** How many images a reservoir was offered, by class; −1 stands for all classes together. */
  get counts(): readonly (readonly [label: number, count: number])[] {
    return [...this.offered];
  }

  /** Takes over {@link exemplars} and {@link counts}. */
  restore(exemplars: readonly Exemplar[], counts: readonly (readonly [number, number])[] = []): void {
    this.kept = [...exemplars];
    this.offered.clear();
    for (const [label, count] of counts) this.offered.set(label, count);
  }
}

const placesOf = (exemplars: readonly Exemplar[], label: number): number[] =>
  exemplars.flatMap((exemplar, place) => (exemplar.label === label ? [place] : []));

/** A memory to look at. */
export type ReadonlyExemplarMemory = Pick<
  ExemplarMemory,
  'options' | 'exemplars' | 'size' | 'of' | 'quota' | 'assertRoom'
>;
