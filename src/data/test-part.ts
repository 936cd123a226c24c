/** What a set is tested on: a part of its own, or images of each class that are drawn for it. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { Random } from '../tensor/random.ts';
import { listed } from './class-folders.ts';
import { type ImageDataset, subset } from './dataset.ts';
import type { ReadOptions } from './reader.ts';

/** Readers of sets that may have no such part heed all these, and `testPart`. */
export type SplitOptions = Pick<ReadOptions, 'testFraction' | 'splitSeed'>;

/** A fifth. */
export const USUAL_FRACTION = 0.2;

/**
 * The part to test on.
 * @param parts that the set has, without the one that is learnt from; those that are usual first.
 * @returns its name, undefined where the set has none; and what people are to know of the others.
 * @throws {DataError} when it has not the one that was asked for, or has one where some are to be drawn.
 */
export function chooseTestPart(
  parts: readonly string[],
  { testPart, testList, testFraction }: ReadOptions,
  where: string,
): { readonly part: string | undefined; readonly notes: readonly string[] } {
  const part = testPart ?? parts[0];
  if (testPart !== undefined && !parts.includes(testPart)) {
    throw new DataError({
      where,
      message: `there is no part "${clipped(testPart)}" to test on.`,
      fix: parts.length > 0 ? `There is ${parts.join(', ')}.` : 'Leave --test-part out: images are then drawn for it.',
    });
  }
  if (part !== undefined && (testList ?? testFraction) !== undefined) {
    throw new DataError({
      where: testList === undefined ? '--test-fraction' : '--test-list',
      message: `the set in ${where} has a part to test on already, ${part}.`,
      fix: 'Leave it out, or give the part that is learnt from alone as the data.',
    });
  }
  const others = parts.filter((one) => one !== part);
  const notes =
    others.length > 0 && testPart === undefined
      ? [`tested on ${part}; ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} not used (--test-part)`]
      : [];
  return { part, notes };
}

/**
 * Which of the images of each class are tested on: a share of them, rounded, but one at least and not all, where a class has two.
 * The same for one seed, whatever other classes there are.
 * @param counts images by class.
 * @returns by class, whether an image is tested on.
 */
export function drawTestImages(
  counts: ReadonlyMap<string, number>,
  { testFraction = USUAL_FRACTION, splitSeed = 0 }: SplitOptions,
): Map<string, boolean[]> {
  return new Map(
    [...counts].map(([name, count]): [string, boolean[]] => {
      const held = Math.min(Math.max(1, Math.round(testFraction * count)), count - 1);
      const isTested = new Array<boolean>(count).fill(false);
      for (const place of Random.of(splitSeed, 'test images', name).permutation(count).subarray(0, held))
        isTested[place] = true;
      return [name, isTested];
    }),
  );
}

/** What people are to know of it. */
export const drawnNote = ({ testFraction = USUAL_FRACTION, splitSeed = 0 }: SplitOptions): string =>
  `${Number((100 * testFraction).toFixed(1))} % of each class's images were drawn to test on, by seed ${splitSeed} (--test-fraction, --split-seed)`;

/** What people are to know of classes that are learnt and not tested, such as those of one image where some are drawn. */
export function untestedNotes(
  { train, test }: { readonly train: Iterable<number>; readonly test: Iterable<number> },
  classNames: readonly string[] = [],
): string[] {
  const tested = new Set(test);
  const untested = [...new Set(train)].filter((label) => !tested.has(label)).sort((a, b) => a - b);
  const names = untested.map((label) => classNames[label] ?? String(label));
  return names.length > 0
    ? [`no image is tested on of ${listed(names)}: give such classes more, or leave them out of a run's class order`]
    : [];
}

/**
 * Images in two: what is learnt from, and what is drawn to test on.
 * @param names the class of each.
 * @returns numbers of images, in their order.
 */
export function drawnParts(names: readonly string[], options: SplitOptions): { train: number[]; test: number[] } {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const drawn = drawTestImages(counts, options);
  const seen = new Map<string, number>();
  const [train, test]: [number[], number[]] = [[], []];
  names.forEach((name, index) => {
    const place = seen.get(name) ?? 0;
    seen.set(name, place + 1);
    (drawn.get(name)?.[place] ? test : train).push(index);
  });
  return { train, test };
}

/**
 * A set in two: what is learnt from, and what is drawn to test on.
 * @throws {DataError} when no class has two images.
 */
export function drawnSplit(whole: ImageDataset, options: SplitOptions): { train: ImageDataset; test: ImageDataset } {
  const { labels, classNames } = whole;
  const names = Array.from(labels, (label) => classNames?.[label] ?? String(label));
  const { train, test } = drawnParts(names, options);
  if (test.length === 0) {
    throw new DataError({
      where: whole.name,
      message: 'no class has two images, of which one could be tested on.',
      fix: 'Give more images of each class.',
    });
  }
  return { train: subset(whole, train), test: subset(whole, test) };
}
