/** What a learner knows, for another method or other settings to go on with, and under other names. */
import { ArgumentError, ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { copyModule } from '../nn/copy.ts';
import { exemplarFault } from './faults.ts';
import { type Knowledge, modelOf, nothingKnown, type Setup } from './knowledge.ts';
import { type LearnerSettings, networkSettings } from './learner-settings.ts';
import { keepsOf } from './memory-use.ts';
import type { IncrementalModel } from './method.ts';

const where = 'fork';
/** What the weights that are there were made with, and what the first task's images decided. */
const FIXED = [...Object.keys(networkSettings), 'precision', 'mean', 'std'] as readonly (keyof LearnerSettings)[];

/**
 * A copy of what is known, for a learner of another setup: model, scaler and memory are its own. All is taken at the call: what is known
 * may be freed, or be replaced by what a task led to, before the copy is there.
 * @throws {ConfigError} when its network differs, or what was kept is not what its method needs.
 */
export async function forked(from: Setup, known: Knowledge, to: Setup): Promise<Knowledge> {
  const changed = FIXED.find((name) => JSON.stringify(from.training[name]) !== JSON.stringify(to.training[name]));
  if (known.tasks > 0 && changed !== undefined) {
    throw new ConfigError({
      where,
      message: `"${changed}" cannot differ from what was learnt with (${JSON.stringify(from.training[changed])}).`,
      fix: 'Leave it out.',
    });
  }
  const own = nothingKnown(to);
  let model: IncrementalModel | null = null;
  try {
    const memory = keptBy(from, known, to, own.memory);
    if (known.model && known.images) {
      model = modelOf(to, known.taskSizes, known.images).eval();
      copyModel(known.model, model, from, to);
    }
    const scale = await known.scaler?.state();
    if (scale) own.scaler?.load(scale);
    return { ...known, memory, scaler: own.scaler, model };
  } catch (error) {
    model?.dispose();
    own.scaler?.dispose();
    throw error;
  }
}

/** @param memory empty, of the size that it has from now on. */
function keptBy(
  from: Setup,
  { memory: { exemplars, counts }, names, images }: Knowledge,
  to: Setup,
  memory: Knowledge['memory'],
) {
  const [kept, keeps] = [keepsOf(from), keepsOf(to)];
  const { selection } = to.training;
  if (keeps !== 'nothing') memory.restore(exemplars, counts);
  if (keeps === 'exemplars' && selection !== 'reservoir' && images)
    memory.truncate(memory.quota(Math.max(1, names.length), images));
  const fault =
    keeps === 'everything' && kept !== keeps && images
      ? 'not every image is there'
      : exemplarFault(memory, names.length, { keeps, selection, format: images });
  if (!fault) return memory;
  throw new ConfigError({
    where,
    message: `"${to.method.name}" cannot go on with what "${from.method.name}" kept: ${fault}.`,
    fix: 'Fork to a method that needs no more than is there, such as finetune, or keep exemplars from the first task on.',
  });
}

function copyModel(
  from: IncrementalModel,
  to: IncrementalModel,
  { method: before }: Setup,
  { method: after }: Setup,
): void {
  try {
    copyModule(from, to);
  } catch (cause) {
    throw new ConfigError({
      where,
      message: `the models of "${before.name}" and "${after.name}" differ: what one learnt does not fit the other.`,
      fix: 'Fork to a method that trains the same network.',
      cause,
    });
  }
}

/** @throws {ArgumentError} for a class that is not there, and a name that is none or taken. */
export function renamed(names: readonly string[], name: string, to: string): string[] {
  const refuse = (message: string, fix: string) => new ArgumentError({ where: 'rename', message, fix });
  if (!names.includes(name)) throw refuse(`there is no class "${clipped(name)}".`, 'Name one of `classes`.');
  if (typeof to !== 'string' || to === '') throw refuse('the new name is no text, or empty.', 'Give a text.');
  if (to !== name && names.includes(to))
    throw refuse(`another class is called "${clipped(to)}".`, 'Give a name that no class has.');
  return names.map((one) => (one === name ? to : one));
}
