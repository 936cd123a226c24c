/** What a method keeps under a learner's settings: without room for exemplars, one that can do without keeps nothing. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { ConfigError } from '../errors.ts';
import type { LearnerSettings } from './learner-settings.ts';
import type { MemoryOptions, ReadonlyExemplarMemory } from './memory.ts';
import type { AnyMethod } from './method.ts';
import { named } from './setting-name.ts';

type MemorySettings = Pick<LearnerSettings, 'memory' | 'memoryPerClass' | 'memoryBytes' | 'selection'>;

/** Who keeps something, and by which settings. */
export interface Keeping {
  readonly method: Pick<AnyMethod, 'name' | 'keeps' | 'exemplarFree'>;
  readonly training: MemorySettings;
}

/** Whether a memory holds anything. */
export const hasRoom = ({ memory, memoryPerClass, memoryBytes = 0 }: MemorySettings): boolean =>
  memoryBytes > 0 || memoryPerClass > 0 || memory > 0;

/** What is kept of the images of a task that was learnt. */
export const keepsOf = ({ method: { keeps, exemplarFree }, training }: Keeping): AnyMethod['keeps'] =>
  keeps === 'exemplars' && exemplarFree && !hasRoom(training) ? 'nothing' : keeps;

/** How large the memory is. */
export function memoryOptions({ method, training }: Keeping): MemoryOptions {
  const { memory: total, memoryPerClass: perClass, memoryBytes: bytes = 0 } = training;
  return method.keeps === 'everything' ? { total: Number.POSITIVE_INFINITY } : { total, perClass, bytes };
}

/**
 * Whether the settings of a memory go together, and with the method.
 * @throws {ConfigError} for a memory of two sizes, and a method without room for the exemplars that it needs.
 */
export function checkMemory(keeping: Keeping): void {
  const { method, training } = keeping;
  if ((training.memoryBytes ?? 0) > 0 && training.memoryPerClass > 0) {
    throw new ConfigError({
      where: 'memory',
      message: `its size is given twice: ${training.memoryBytes} bytes, and ${training.memoryPerClass} exemplars a class.`,
      fix: `Leave ${named('memoryBytes')} or ${named('memoryPerClass')} out.`,
    });
  }
  if (keepsOf(keeping) !== 'exemplars' || hasRoom(training)) return;
  throw new ConfigError({
    where: 'memory',
    message: `the method "${method.name}" needs exemplars, and there is room for none.`,
    fix: `Use ${named('memory', 200)} or another number above 0, or a method that can do without, such as finetune, kd or fdkd.`,
  });
}

/**
 * Whether so many classes find room; of a reservoir, which is shared among nobody, whether anything does.
 * @throws {ConfigError} where a class would have no exemplar.
 */
export function checkRoom(
  memory: Pick<ReadonlyExemplarMemory, 'quota'>,
  keeping: Keeping,
  classes: number,
  format: ImageFormat,
): void {
  if (keepsOf(keeping) === 'exemplars') memory.quota(keeping.training.selection === 'reservoir' ? 1 : classes, format);
}
