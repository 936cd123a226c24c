/** The visitor's classes and their pictures. */
import { ArgumentError } from 'engram';
import { joinedBytes } from './joined-bytes.ts';
import type { OwnClass } from './protocol.ts';
import { FEWEST_PICTURES, hasEnough, hasNew, MOST_PICTURES } from './recipe.ts';

interface Mutable {
  name: string;
  pictures: Uint8Array<ArrayBuffer>[];
  taught: number;
}

const refused = (message: string, fix: string): ArgumentError => new ArgumentError({ where: 'classes', message, fix });

export class OwnClasses {
  private classes: Mutable[] = [];

  /** @param isOld whether the network knew a class of this name before it was taught here. */
  constructor(private readonly isOld: (name: string) => boolean) {}

  get names(): string[] {
    return this.classes.map(({ name }) => name);
  }

  /** @param known names of all classes that the learner has an output for. */
  told(known: readonly string[]): OwnClass[] {
    return this.classes.map(({ name, pictures, taught }) => ({
      name,
      pictures: joinedBytes(pictures),
      count: pictures.length,
      taught,
      isKnown: known.includes(name),
    }));
  }

  restore(classes: readonly OwnClass[]): void {
    this.classes = classes.map(({ name, pictures, count, taught }) => ({
      name,
      taught,
      pictures: Array.from({ length: count }, (_, at) => slice(pictures, at, count)),
    }));
  }

  /**
   * @returns how many were left out: a class has room for so many.
   * @throws {ArgumentError} for no name, or one of the network's own classes.
   */
  add(name: string, pictures: readonly Uint8Array<ArrayBuffer>[]): number {
    this.checkName(name);
    let own = this.classes.find((one) => one.name === name);
    if (!own) {
      own = { name, pictures: [], taught: 0 };
      this.classes.push(own);
    }
    const room = Math.max(0, MOST_PICTURES - own.pictures.length);
    own.pictures.push(...pictures.slice(0, room));
    return Math.max(0, pictures.length - room);
  }

  /** @throws {ArgumentError} for a name that cannot be. */
  rename(name: string, to: string): void {
    if (name === to) return;
    this.checkName(to);
    if (this.names.includes(to))
      throw refused(`another class is called “${to}” already.`, 'Give a name that no class has.');
    const own = this.classes.find((one) => one.name === name);
    if (own) own.name = to;
  }

  /** A picture of a class, or with `null` the class. @param isKnown whether the learner has an output for it: it stays then. */
  remove(name: string, picture: number | null, isKnown: boolean): void {
    const own = this.classes.find((one) => one.name === name);
    if (!own) return;
    if (picture === null) {
      own.pictures = [];
      own.taught = 0;
    } else {
      own.pictures.splice(picture, 1);
      if (picture < own.taught) own.taught--;
    }
    if (own.pictures.length === 0 && !isKnown) this.classes = this.classes.filter((one) => one !== own);
  }

  /**
   * What is to be taught: every class with enough pictures, should one of them have new ones.
   * @param known names of the classes that the learner has an output for: more pictures of these may be few.
   * @throws {ArgumentError} where there is nothing new, or too little of it.
   */
  lesson(known: readonly string[]): {
    readonly classes: Map<string, readonly Uint8Array<ArrayBuffer>[]>;
    readonly fresh: string[];
  } {
    const all = this.told(known);
    const fresh = all.filter((one) => hasEnough(one) && hasNew(one)).map(({ name }) => name);
    if (fresh.length === 0) {
      const waiting = all.find((one) => !hasEnough(one) && one.count > 0);
      throw waiting
        ? refused(
            `“${waiting.name}” has ${waiting.count === 1 ? 'a single picture' : `${waiting.count} pictures`}: what they have in common cannot be learnt from that.`,
            `Show at least ${FEWEST_PICTURES}; ten are better.`,
          )
        : refused('there is nothing new to learn.', 'Show pictures of a class first.');
    }
    const taught = this.classes.filter((_, at) => hasEnough(all[at] as OwnClass));
    return { classes: new Map(taught.map(({ name, pictures }) => [name, [...pictures]])), fresh };
  }

  /** Notes that a lesson was learnt. */
  learnt(classes: ReadonlyMap<string, readonly unknown[]>): void {
    for (const own of this.classes) own.taught = classes.get(own.name)?.length ?? own.taught;
  }

  private checkName(name: string): void {
    if (name.trim() === '') throw refused('a class has no name.', 'Say first what the pictures are of.');
    if (this.isOld(name))
      throw refused(
        `“${name}” is one of the classes that the network knew before.`,
        'Give the class a name of its own.',
      );
  }
}

const slice = (pictures: Uint8Array<ArrayBuffer>, at: number, count: number): Uint8Array<ArrayBuffer> =>
  pictures.slice((at * pictures.length) / count, ((at + 1) * pictures.length) / count);
