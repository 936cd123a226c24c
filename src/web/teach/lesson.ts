/** Two learners that are taught the same classes, and how well they know what they knew before. */
import {
  CheckpointError,
  DataError,
  type Engine,
  type ImageBytes,
  type ImageFormat,
  readSafetensors,
  toImageBytes,
} from 'engram';
import { ContinualLearner, type Prediction } from 'engram/continual';
import { bytesPerImage, formatName, sameFormat } from '../../data/image-bytes.ts';
import { joinedBytes } from './joined-bytes.ts';
import { OwnClasses } from './own-classes.ts';
import {
  type Given,
  type Lost,
  type OfEach,
  PUPILS,
  type Pupil,
  type Ready,
  type Stage,
  type Told,
} from './protocol.ts';
import { MEMORY, oversampling, RECIPE } from './recipe.ts';
import { readSession, type Said, type SessionFile, writeSession } from './session-file.ts';
import { square } from './square.ts';
import { type TestedPictures, testedOf } from './tested-pictures.ts';

/** Classes that an answer names. */
const TOP = 5;
/** Lost pictures that are shown. */
const MOST_LOST = 24;

const ofEach = <T>(make: (pupil: Pupil) => T): OfEach<T> => ({ kept: make('kept'), plain: make('plain') });
async function ofEachInTurn<T>(make: (pupil: Pupil) => Promise<T>): Promise<OfEach<T>> {
  const kept = await make('kept');
  return { kept, plain: await make('plain') };
}

const joined = (pictures: readonly Uint8Array[], { height, width, channels }: ImageFormat): ImageBytes => ({
  data: joinedBytes(pictures),
  count: pictures.length,
  height,
  width,
  channels,
});

/** What a lesson begins with. */
interface Beginning {
  readonly learners: OfEach<ContinualLearner>;
  readonly oldClasses: readonly string[];
  readonly made: Ready['made'];
  /** As saved; the pictures of an imported learner's own classes. */
  readonly classes?: SessionFile['classes'];
  readonly past?: Pick<SessionFile, 'stages' | 'first' | 'now' | 'learners'>;
}

export class Lesson {
  readonly own: OwnClasses;
  private readonly tested: TestedPictures;
  private readonly oldClasses: readonly string[];
  private readonly made: Ready['made'];
  private learners: OfEach<ContinualLearner>;
  private stages: readonly Stage[] = [];
  private first: Said = { kept: [], plain: [] };
  private now: Said = { kept: [], plain: [] };
  /** Their files, as after the last task. */
  private saved: OfEach<Uint8Array> | null = null;

  private constructor(
    readonly engine: Engine,
    { learners, oldClasses, made, classes, past }: Beginning,
    all: TestedPictures,
  ) {
    this.learners = learners;
    this.oldClasses = oldClasses;
    this.made = made;
    const names = new Set(oldClasses);
    this.tested = testedOf(all, names);
    this.own = new OwnClasses((name) => names.has(name));
    if (classes) this.own.restore(classes);
    if (past) [this.stages, this.first, this.now, this.saved] = [past.stages, past.first, past.now, past.learners];
  }

  /**
   * Begins with a learner that is to be taught more: the site's network, or one that somebody brings.
   * @param network whether it is the site's own.
   * @throws {CheckpointError} for a file that is no learner's, or whose pictures are none that can be drawn here.
   */
  static async begin(
    engine: Engine,
    file: Uint8Array,
    all: TestedPictures,
    where: string,
    network: boolean,
  ): Promise<Lesson> {
    const loaded = await ContinualLearner.load(engine, file, { where });
    const forks: ContinualLearner[] = [];
    try {
      const { imageFormat } = loaded;
      if (!imageFormat || !sameFormat(imageFormat, all.images)) {
        throw new CheckpointError({
          where,
          message: imageFormat
            ? `its pictures are ${formatName(imageFormat)}, where those of this page are ${formatName(all.images)} (height × width × channels).`
            : 'this learner has learnt nothing yet.',
          fix: imageFormat
            ? 'Teach it with `learner.learn()` in Node or a page of your own.'
            : 'Give one that was taught.',
        });
      }
      const kept = await loaded.fork(network ? { ...RECIPE, ...MEMORY } : RECIPE);
      forks.push(kept);
      const plain = await kept.fork({ method: 'finetune' });
      forks.push(plain);
      // What another visitor taught it is a class of one's own here, as far as its pictures were kept.
      const isOwn = (name: string) => !network && !all.labels.includes(name);
      const classes = kept.classes.filter(isOwn).map((name) => {
        const pictures = kept.exemplars.filter(({ label }) => label === name).map(({ pixels }) => pixels);
        const { data, count } = joined(pictures, all.images);
        return { name, pictures: data, count, taught: count, isKnown: true };
      });
      const { metadata } = readSafetensors(file, where);
      const made = network ? { accuracy: metadata.accuracy ?? '', pictures: metadata.pictures ?? '' } : null;
      const oldClasses = kept.classes.filter((name) => !isOwn(name));
      const lesson = new Lesson(engine, { learners: { kept, plain }, oldClasses, made, classes }, all);
      await lesson.examine('', { kept: 0, plain: 0 });
      return lesson;
    } catch (error) {
      for (const fork of forks) fork.dispose();
      throw error;
    } finally {
      loaded.dispose();
    }
  }

  /** @throws {CheckpointError} for what this page did not write. */
  static async restore(engine: Engine, file: Uint8Array, all: TestedPictures, where: string): Promise<Lesson> {
    const { learners: files, classes, oldClasses, made, ...past } = readSession(file, where);
    const learners = await ofEachInTurn((pupil) => ContinualLearner.load(engine, files[pupil], { where }));
    return new Lesson(engine, { learners, oldClasses, made, classes, past: { ...past, learners: files } }, all);
  }

  get ready(): Ready {
    const { height, width, channels } = this.format;
    return {
      type: 'ready',
      adapter: this.engine.adapterDescription,
      format: { height, width, channels },
      oldClasses: this.oldClasses.length,
      made: this.made,
    };
  }

  get classes(): Told {
    return { type: 'classes', classes: this.own.told(this.learners.kept.classes) };
  }

  get outcome(): Told {
    return { type: 'stages', stages: this.stages, lost: ofEach((pupil) => this.lost(pupil)) };
  }

  /** All of it. The device is asked only after a task and a new name: what else changes is pictures alone. */
  async file(): Promise<Uint8Array<ArrayBuffer>> {
    this.saved ??= await ofEachInTurn((pupil) => this.learners[pupil].save());
    const { stages, oldClasses, made, first, now } = this;
    const classes = this.own.told(this.learners.kept.classes);
    return writeSession({ learners: this.saved, classes, stages, oldClasses, made, first, now });
  }

  /** The learner that was held to its former self, for Node and other pages. */
  async export(): Promise<Uint8Array<ArrayBuffer>> {
    return this.learners.kept.save();
  }

  /** What each takes a picture for. */
  async answers(picture: ImageData): Promise<OfEach<readonly Prediction[]>> {
    const image = await this.fitted([picture]);
    const { kept, plain } = this.learners;
    const [a, b] = await Promise.all([kept.predict(image, { top: TOP }), plain.predict(image, { top: TOP })]);
    return { kept: a, plain: b };
  }

  /**
   * Adds pictures to a class, those that can be read.
   * @returns what is to be said of those that were left out, if any.
   * @throws {ArgumentError} for a class that has no name, or that of another.
   */
  async add(name: string, given: readonly Given[]): Promise<string | null> {
    const pictures: Uint8Array<ArrayBuffer>[] = [];
    const faults: string[] = [];
    for (const one of given) {
      try {
        pictures.push((await this.fitted([await square(one)])).data);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        faults.push(one instanceof File ? one.name : 'a picture');
      }
    }
    const beyond = pictures.length > 0 || faults.length === 0 ? this.own.add(name, pictures) : 0;
    const said = [
      ...(faults.length > 0
        ? [
            `${faults.length === 1 ? `“${faults[0]}” is no picture` : `${faults.length} of ${given.length} files are no pictures (${faults.slice(0, 3).join(', ')}${faults.length > 3 ? ' …' : ''})`} that this browser can read: JPEG, PNG and WebP are.`,
          ]
        : []),
      ...(beyond > 0 ? [`“${name}” has no room for ${beyond} more: its first pictures are kept.`] : []),
    ];
    return said.length > 0 ? said.join(' ') : null;
  }

  rename(name: string, to: string): void {
    const isKnown = this.learners.kept.classes.includes(name);
    this.own.rename(name, to);
    if (!isKnown || name === to) return;
    for (const pupil of PUPILS) this.learners[pupil].rename(name, to);
    this.saved = null;
  }

  remove(name: string, picture: number | null): void {
    this.own.remove(name, picture, this.learners.kept.classes.includes(name));
  }

  /**
   * Teaches both what is new, beside all else that was shown. Should it fail or be aborted, both are as before.
   * @throws {ArgumentError} where there is nothing new, or too little of it.
   */
  async *teach(signal: AbortSignal): AsyncGenerator<Told> {
    const { classes, fresh } = this.own.lesson(this.learners.kept.classes);
    const taught: Partial<Record<Pupil, ContinualLearner>> = {};
    const seconds = { kept: 0, plain: 0 };
    try {
      for (const pupil of PUPILS) {
        const given = this.unkept(pupil, classes);
        const pictures = [...given.values()].reduce((total, { count }) => total + count, 0);
        const learner = await this.learners[pupil].fork({ oversample: oversampling(pictures) });
        taught[pupil] = learner;
        // All of them were shown before, and are kept.
        if (given.size === 0) continue;
        for await (const event of learner.learn(given, { signal })) {
          if (event.type === 'task') seconds[pupil] = event.seconds;
          if (event.type !== 'step') continue;
          const { epoch, epochs, step, steps, loss } = event;
          yield { type: 'learning', at: { pupil, done: (epoch + (step + 1) / steps) / epochs, loss } };
        }
      }
    } catch (error) {
      for (const pupil of PUPILS) taught[pupil]?.dispose();
      throw error;
    }
    const before = this.learners;
    this.learners = taught as Record<Pupil, ContinualLearner>;
    for (const pupil of PUPILS) before[pupil].dispose();
    this.own.learnt(classes);
    this.saved = null;
    await this.examine(fresh.join(', '), seconds);
  }

  /** Frees both learners. */
  dispose(): void {
    for (const pupil of PUPILS) this.learners[pupil].dispose();
  }

  /** A learner has its exemplars beside what it is given: those are not given again. */
  private unkept(
    pupil: Pupil,
    classes: ReadonlyMap<string, readonly Uint8Array<ArrayBuffer>[]>,
  ): Map<string, ImageBytes> {
    const kept = new Set(this.learners[pupil].exemplars.map(({ label, pixels }) => `${label} ${pixels.join()}`));
    const given = new Map<string, ImageBytes>();
    for (const [name, pictures] of classes) {
      const others = pictures.filter((pixels) => !kept.has(`${name} ${pixels.join()}`));
      if (others.length > 0) given.set(name, joined(others, this.format));
    }
    return given;
  }

  /** What they know now, as another stage. */
  private async examine(after: string, seconds: OfEach<number>): Promise<void> {
    const own = this.own.told(this.learners.kept.classes).filter(({ isKnown, taught }) => isKnown && taught > 0);
    const { images, labels } = this.tested;
    const size = bytesPerImage(images);
    const mine = joined(
      own.map(({ pictures, taught }) => pictures.subarray(0, taught * size)),
      this.format,
    );
    const right = own.flatMap(({ name, taught }) => new Array<string>(taught).fill(name));
    const percent = (said: readonly string[], labels: readonly string[]): number | null =>
      labels.length === 0 ? null : (100 * said.filter((name, at) => name === labels[at]).length) / labels.length;
    const now = await ofEachInTurn((pupil) => this.said(pupil, images));
    const ofOwn = await ofEachInTurn((pupil) => this.said(pupil, { ...mine, count: right.length }));
    if (this.stages.length === 0) this.first = now;
    this.now = now;
    this.stages = [
      ...this.stages,
      {
        after,
        old: ofEach((pupil) => percent(now[pupil], labels)),
        own: ofEach((pupil) => percent(ofOwn[pupil], right)),
        seconds,
      },
    ];
  }

  private async said(pupil: Pupil, images: ImageBytes): Promise<string[]> {
    if (images.count === 0) return [];
    const all = await this.learners[pupil].predictMany(images, { top: 1 });
    return all.map(([best]) => best?.label ?? '');
  }

  private lost(pupil: Pupil): Lost[] {
    const { images, labels } = this.tested;
    const size = bytesPerImage(images);
    const [first, now] = [this.first[pupil], this.now[pupil]];
    return labels
      .flatMap((label, at) => {
        const taken = now[at] ?? '';
        if (first[at] !== label || taken === label) return [];
        return [{ label, taken, pixels: images.data.slice(at * size, (at + 1) * size) }];
      })
      .slice(0, MOST_LOST);
  }

  private fitted(pictures: readonly ImageData[]): Promise<ImageBytes> {
    return toImageBytes(this.engine, pictures, { where: 'pictures', format: this.format, resize: true });
  }

  private get format(): ImageFormat {
    return this.tested.images;
  }
}
