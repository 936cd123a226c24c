/** Exemplars: the few images of earlier tasks that a learner keeps, their pixels included. */
import { bytesPerImage, type ImageBytes, type ImageFormat } from '../data/image-bytes.ts';
import { ConfigError } from '../errors.ts';
import type { Random } from '../tensor/random.ts';
import { named } from './setting-name.ts';

/** How many exemplars are kept. */
export interface MemoryOptions {
  /** Exemplars in all, shared evenly among the classes seen; of a reservoir, among nobody. */
  readonly total: number;
  /** Exemplars a class, however many classes there are; 0 shares out `total` instead. */
  readonly perClass?: number;
  /** Bytes of all exemplars, of their pixels and of what is stored with them, in place of `total`; 0 for no such limit. */
  readonly bytes?: number;
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

/** The few images of earlier tasks that a learner keeps, their pixels included. */
export class ExemplarMemory {
  private kept: readonly Exemplar[] = [];
  /** Images that a reservoir has been offered, by class and in all. */
  private readonly offered = new Map<number, number>();

  constructor(readonly options: MemoryOptions) {}

  /** Every exemplar: class by class in order of arrival, best first; of a reservoir, by place. */
  get exemplars(): readonly Exemplar[] {
    return this.kept;
  }

  /** Exemplars kept. */
  get size(): number {
    return this.kept.length;
  }

  /** Exemplars of a class. */
  of(label: number): readonly Exemplar[] {
    return this.kept.filter((exemplar) => exemplar.label === label);
  }

  /** Exemplars there is room for in all, of images of this format with nothing stored beside them. */
  room(format: ImageFormat): number {
    const { total, bytes = 0 } = this.options;
    return bytes > 0 ? Math.floor(bytes / bytesPerImage(format)) : total;
  }

  /**
   * Exemplars a class may have when `classes` have been seen; fewer where a memory of so many bytes holds more than pixels.
   * @throws {ConfigError} when that is less than one.
   */
  quota(classes: number, format: ImageFormat): number {
    const { perClass = 0 } = this.options;
    const quota = perClass > 0 ? perClass : Math.floor(this.room(format) / classes);
    if (quota < 1) throw tooSmall(this.options, classes, bytesPerImage(format));
    return quota;
  }

  /** Bytes of all exemplars: their pixels, and what is stored with them. */
  get bytes(): number {
    return this.kept.reduce((total, exemplar) => total + bytesOf(exemplar), 0);
  }

  /**
   * Leaves as many of each class as have room with what is stored with them, worst first; of a reservoir, drawn ones.
   * @param quota that each class has now; `null` of a reservoir.
   * @throws {ConfigError} when a class, or a reservoir, would have none.
   */
  fitBytes(quota: number | null, random: Random): void {
    const { bytes = 0 } = this.options;
    if (bytes === 0) return;
    if (quota === null) {
      const kept = [...this.kept];
      for (let size = this.bytes; size > bytes; )
        size -= bytesOf(kept.splice(random.int(kept.length), 1)[0] as Exemplar);
      if (kept.length === 0 && this.size > 0) throw tooSmall(this.options, 1, this.bytes / this.size);
      this.kept = kept;
      return;
    }
    for (let left = quota - 1; this.bytes > bytes; left--) {
      const labels = new Set(this.kept.map(({ label }) => label));
      if (left < 1) throw tooSmall(this.options, labels.size, this.bytes / this.size);
      this.truncate(left);
    }
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
  offer(stream: readonly Exemplar[], format: ImageFormat, random: Random): void {
    const { perClass = 0 } = this.options;
    const kept = [...this.kept];
    // One that had to be left smaller stays so: images to come have no better chance than those before.
    const total = (this.offered.get(-1) ?? 0) > kept.length ? kept.length : this.room(format);
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

  /** Takes over another memory's `exemplars` and `counts`. */
  restore(exemplars: readonly Exemplar[], counts: readonly (readonly [number, number])[] = []): void {
    this.kept = [...exemplars];
    this.offered.clear();
    for (const [label, count] of counts) this.offered.set(label, count);
  }
}

/** Of its pixels, and what is stored with it. */
const bytesOf = ({ pixels, values = {} }: Exemplar): number =>
  Object.values(values).reduce((total, { byteLength }) => total + byteLength, pixels.byteLength);

function tooSmall({ total, bytes = 0 }: MemoryOptions, classes: number, each: number): ConfigError {
  const needed = Math.ceil(classes * each);
  return new ConfigError({
    where: 'memory',
    message:
      bytes > 0
        ? `${bytes} bytes are too few for ${classes} classes: every class needs at least one exemplar, of ${Math.ceil(each)} bytes.`
        : `${total} exemplars are too few for ${classes} classes: every class needs at least one.`,
    fix: `Use ${bytes > 0 ? named('memoryBytes', needed) : named('memory', classes)} or more, or a method without memory.`,
  });
}

const placesOf = (exemplars: readonly Exemplar[], label: number): number[] =>
  exemplars.flatMap((exemplar, place) => (exemplar.label === label ? [place] : []));

/** A memory to look at. */
export type ReadonlyExemplarMemory = Pick<
  ExemplarMemory,
  'options' | 'exemplars' | 'size' | 'bytes' | 'of' | 'room' | 'quota'
>;
