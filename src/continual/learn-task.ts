/** Learning one task, on copies: what comes of it is known once all is done. */
import type { ImageFormat } from '../data/image-bytes.ts';
import type { Images } from '../data/stored-images.ts';
import { ArgumentError } from '../errors.ts';
import { GradScaler } from '../optim/grad-scaler.ts';
import type { ClassImages } from './class-images.ts';
import type { Disposables } from './disposables.ts';
import { diverged, weightsAreFinite } from './divergence.ts';
import { evaluate, readTestImages } from './evaluation.ts';
import type { LearnerEvent, TaskEvent } from './events.ts';
import { received } from './expected.ts';
import { contextOf, type Knowledge, modelOf, type Setup } from './knowledge.ts';
import type { Evaluation, LearnOptions } from './learner-types.ts';
import { checkRoom, keepsOf } from './memory-use.ts';
import type { IncrementalModel } from './method.ts';
import { noticesOf } from './method-checks.ts';
import { grownCopy } from './model.ts';
import { Predictions } from './predictions.ts';
import { taskRecipe } from './recipe.ts';
import { remember } from './remember.ts';
import { readTask, taskFingerprint } from './task-inputs.ts';
import { TaskRun } from './task-run.ts';

/** What a task led to. */
export interface Learnt {
  /** Its model and scaler are no longer among what is held, and belong to the caller. */
  readonly knowledge: Knowledge;
  readonly event: TaskEvent;
}

/**
 * Learns images by class, telling what happens. Nothing of what was known is changed.
 * @param held takes in what the task needs on the device.
 * @param stillWanted throws where the outcome is not wanted any more.
 * @throws as `ContinualLearner.learn` says.
 */
export async function* learnTask(
  setup: Setup,
  known: Knowledge,
  given: ClassImages,
  { signal, saveEvery = 0, resume, test, tests, annotate = () => ({}) }: LearnOptions,
  held: Disposables,
  stillWanted: () => void,
): AsyncGenerator<LearnerEvent, Learnt> {
  const where = 'learn';
  signal?.throwIfAborted();
  checkSaveEvery(saveEvery, where);
  const { engine, method, methodSettings, training, resize } = setup;
  const { memory, tasks } = known;
  const { lr } = taskRecipe(training, tasks);
  const inputs = await readTask(engine, given, { known: known.names, images: known.images, resize, training });
  const { format, names, added } = inputs;
  // Read now: what does not fit is to be told before the task is learnt, not after.
  const read = (set: ClassImages) => readTestImages(engine, set, { names, format, resize, where: `${where}: test` });
  const lot = test && (await read(test));
  const lots: ReadonlyMap<string, Images>[] = [];
  for (const set of tests ?? []) lots.push(await read(set));
  const taskSizes = added.length > 0 ? [...known.taskSizes, added.length] : known.taskSizes;
  const planned = [...known.taskSizes, added.length];
  const notices = noticesOf(method, methodSettings, { taskSizes: planned, training });
  checkRoom(memory, setup, names.length, format);
  for (const message of [...setup.notices, ...notices]) yield { type: 'notice', message };

  const skippedBefore = await skippedSteps(known.scaler);
  const scaler = await copyOfScaler(setup, known, held);
  const model = modelFor(setup, known, added.length, format, held);
  const history = taskFingerprint(setup, known, inputs);
  const run = new TaskRun({ setup, known, inputs, model, scaler, fingerprint: history, held });
  for await (const event of run.run({ saveEvery, annotate, ...(resume ? { resume } : {}) })) {
    signal?.throwIfAborted();
    yield event;
  }
  model.eval();
  if (!(await weightsAreFinite(model))) throw diverged(`task ${tasks + 1}`, 'after its last step weights are', lr);
  const keeping = { method, keeps: keepsOf(setup), selection: training.selection };
  const remembered = await remember(memory, run, { ...keeping, fresh: inputs.images });
  const predictions = held.add(
    new Predictions({ engine, method, settings: methodSettings, model, format, memory: remembered }),
  );
  const asked = { predictions, names, taskSizes, lr };
  const evaluation = lot && (await evaluate(lot, asked));
  const evaluations: Evaluation[] = [];
  for (const one of lots) evaluations.push(await evaluate(one, { ...asked, heads: true }));
  const skipped = (await skippedSteps(scaler)) - skippedBefore;

  stillWanted();
  signal?.throwIfAborted();
  // Nothing waits or fails from here on: the task is learnt as a whole.
  held.release(model);
  if (scaler) held.release(scaler);
  return {
    knowledge: { model, scaler, memory: remembered, names, taskSizes, tasks: tasks + 1, images: format, history },
    event: {
      type: 'task',
      task: tasks,
      newClasses: added,
      exemplars: remembered.size,
      exemplarBytes: remembered.bytes,
      notes: run.notes,
      skippedSteps: skipped,
      ...(evaluation ? { evaluation } : {}),
      ...(tests ? { evaluations } : {}),
      seconds: run.seconds,
    },
  };
}

function checkSaveEvery(epochs: unknown, where: string): void {
  if (Number.isInteger(epochs) && (epochs as number) >= 0) return;
  throw new ArgumentError({
    where,
    message: `progress cannot be given after every ${received(epochs)} epochs.`,
    fix: 'Give a whole number for `saveEvery`; 0 gives none.',
  });
}

/** What a task is learnt on: a copy of the model with room for its classes, or a new one. */
function modelFor(
  setup: Setup,
  { model, taskSizes }: Knowledge,
  added: number,
  images: ImageFormat,
  held: Disposables,
): IncrementalModel {
  if (!model) return held.add(modelOf(setup, [added], images));
  return held.add(grownCopy(setup.method, contextOf(setup, images), { model, taskSizes }, added));
}

async function copyOfScaler({ engine }: Setup, { scaler }: Knowledge, held: Disposables): Promise<GradScaler | null> {
  if (!scaler) return null;
  const state = await scaler.state();
  const copy = held.add(new GradScaler(engine));
  copy.load(state);
  return copy;
}

const skippedSteps = async (scaler: GradScaler | null): Promise<number> =>
  scaler ? (await scaler.state()).skippedSteps : 0;
