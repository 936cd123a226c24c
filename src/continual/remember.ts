/** What stays of a task's images in the memory. */
import { bytesPerImage } from '../data/image-bytes.ts';
import { type Images, pixelsOf } from '../data/stored-images.ts';
import { diverged } from './divergence.ts';
import type { Selection } from './learner-settings.ts';
import type { Exemplar, ExemplarMemory } from './memory.ts';
import type { AnyMethod } from './method.ts';
import { storedBy } from './method-checks.ts';
import { taskRecipe } from './recipe.ts';
import { herding, randomSelection } from './selection.ts';
import type { TaskRun } from './task-run.ts';

/** Of exemplars that are chosen first. */
const NOT_READ = new Uint8Array();

export interface Remembering {
  readonly method: AnyMethod;
  /** Of a task's images, under these settings. */
  readonly keeps: AnyMethod['keeps'];
  readonly selection: Selection;
  /** The task's own images. */
  readonly fresh: Images;
}

/**
 * The memory after a task, as a copy: fewer exemplars of the other classes, and new ones of those that had images. The
 * candidates of a class that was known are its exemplars and its new images.
 * @throws {ConfigError} when features of images are not finite, or what the method stores with them does not fit.
 */
export async function remember(
  memory: ExemplarMemory,
  run: TaskRun,
  remembering: Remembering,
): Promise<ExemplarMemory> {
  const { method, keeps, selection, fresh } = remembering;
  const next = memory.copy();
  if (keeps === 'nothing') return next;
  const imageOf = await withPixels(next, await choose(next, memory, run, remembering), fresh);
  const added = [...imageOf.keys()];
  if (added.length > 0 && method.stores) {
    const stored = await storedBy(
      method,
      run,
      added.map((one) => imageOf.get(one) as number),
    );
    next.replace(
      new Map(added.map((one, at) => [one, { ...one, values: stored[at] as Record<string, Float32Array> }])),
    );
  }
  if (keeps === 'exemplars')
    next.fitBytes(
      selection === 'reservoir' ? null : next.quota(run.model.classes, fresh),
      run.random('reservoir bytes'),
    );
  return next;
}

/**
 * Fills the memory for the time after the task.
 * @param next a copy of `memory`, to be changed.
 * @returns the image of each exemplar that may have come in, without its pixels.
 */
async function choose(
  next: ExemplarMemory,
  memory: ExemplarMemory,
  run: TaskRun,
  { keeps, selection, fresh }: Remembering,
): Promise<ReadonlyMap<Exemplar, number>> {
  const imageOf = new Map<Exemplar, number>();
  const exemplars = memory.exemplars;
  const exemplar = (image: number): Exemplar => {
    if (image >= fresh.count) return exemplars[image - fresh.count] as Exemplar;
    const one = { label: run.labels[image] as number, pixels: NOT_READ };
    imageOf.set(one, image);
    return one;
  };
  if (keeps === 'exemplars' && selection === 'reservoir') {
    next.offer(
      run
        .random('reservoir')
        .shuffle([...run.fresh])
        .map(exemplar),
      fresh,
      run.random('reservoir places'),
    );
    return imageOf;
  }
  const quota = next.quota(run.model.classes, fresh);
  next.truncate(quota);
  const labels = new Set(run.fresh.map((image) => run.labels[image] as number));
  const all = [...run.exemplars, ...run.fresh];
  for (const label of labels) {
    const candidates = all.filter((image) => run.labels[image] === label);
    const chosen = await chooseOf(run, candidates, keeps === 'everything' ? null : selection, quota, label);
    next.set(label, chosen.map(exemplar));
  }
  return imageOf;
}

/**
 * Gives those that came in their pixels.
 * @returns the image of each of them.
 */
async function withPixels(
  memory: ExemplarMemory,
  imageOf: ReadonlyMap<Exemplar, number>,
  fresh: Images,
): Promise<ReadonlyMap<Exemplar, number>> {
  const added = memory.exemplars.filter((one) => imageOf.has(one));
  const images = added.map((one) => imageOf.get(one) as number);
  const pixels = await pixelsOf(fresh, images);
  const bytes = bytesPerImage(fresh);
  const read = added.map((one, i) => ({ ...one, pixels: pixels.slice(i * bytes, (i + 1) * bytes) }));
  memory.replace(new Map(added.map((one, i) => [one, read[i] as Exemplar])));
  return new Map(read.map((one, i) => [one, images[i] as number]));
}

/** The best candidates of one class. */
async function chooseOf(
  run: TaskRun,
  candidates: readonly number[],
  selection: Selection | null,
  quota: number,
  label: number,
): Promise<number[]> {
  if (selection === null) return [...candidates];
  const { model, training, index } = run;
  const rows =
    selection === 'herding'
      ? herding(await run.features(model, candidates), model.featureSize, quota)
      : randomSelection(candidates.length, quota, run.random('exemplars', label));
  // Herding stops at features that are no numbers.
  if (rows.length < Math.min(quota, candidates.length))
    throw diverged(`task ${index + 1}`, 'features of its images are', taskRecipe(training, index).lr);
  return rows.map((row) => candidates[row] as number);
}
