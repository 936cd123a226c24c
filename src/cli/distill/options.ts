/** The flags of `engram distill`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import {
  COMPRESSION_LOSSES,
  type CompressionLoss,
  type CompressionSettingsInput,
  compressionSettings,
  offlineSettings,
} from '../../continual/compression/settings.ts';
import { executionSettings, networkSettings } from '../../continual/learner-settings.ts';
import type { Setting } from '../../continual/setting.ts';
import { MOST_DENSE_TASKS } from '../../distill/task-pool.ts';
import { addFlag } from '../config-flags.ts';
import { wholeNumber } from '../whole-number.ts';

export interface DistillOptions {
  readonly teacher: string;
  readonly student: string;
  readonly loss: readonly CompressionLoss[];
  readonly seeds: number;
  /** Weights λ that each loss chooses from; none for `settings.kdWeight`. */
  readonly weights: readonly number[];
  /** Students of each of them. */
  readonly weightSeeds: number;
  readonly grouping: string;
  readonly groups?: number;
  readonly data?: string;
  readonly markdown?: boolean;
  readonly out: string;
  /** What was typed of the student's settings. */
  readonly settings: CompressionSettingsInput;
}

/** @throws {InvalidArgumentError} */
function lossList(text: string): CompressionLoss[] {
  const names = [...new Set(text.split(','))];
  for (const name of names) {
    if (!(COMPRESSION_LOSSES as readonly string[]).includes(name))
      throw new InvalidArgumentError(`Did you mean ${closest(name, COMPRESSION_LOSSES)}?`);
  }
  return names as CompressionLoss[];
}

/** @throws {InvalidArgumentError} */
function weightList(text: string): number[] {
  const weights = [...new Set(text.split(',').map((one) => (one.trim() === '' ? Number.NaN : Number(one))))];
  if (weights.length < 2 || weights.some((weight) => !(weight > 0 && Number.isFinite(weight))))
    throw new InvalidArgumentError('At least two numbers above 0 were expected, such as 0.1,0.3,1.');
  return weights.sort((a, b) => a - b);
}

/** A setting whose default is the teacher's, or the student's own network's. */
const open = (setting: Setting): Setting => ({ ...setting, preset: undefined });

/** Where a setting's flag is listed. */
function groupOf(key: string): string {
  if (key in offlineSettings) return 'Distillation:';
  return key in networkSettings ? "Student's network:" : "Training, by default as the teacher's first task:";
}

/** The student's settings; its network is named by --student. */
const typedSettings = Object.entries<Setting>(compressionSettings).filter(([key]) => key !== 'model');

export function addDistillFlags(command: Command): Command {
  command
    .requiredOption('--teacher <run>', 'the folder of a run, whose last weights are the teacher')
    .requiredOption('--student <model>', `${networkSettings.model.text}: at most as large as its teacher`)
    .requiredOption('--out <folder>', 'where results go; what is done there is not done again')
    .addOption(
      new Option('--loss <list>', `losses to compare, of ${COMPRESSION_LOSSES.join(', ')}; all by default`)
        .argParser(lossList)
        .default(COMPRESSION_LOSSES, 'all'),
    )
    .option('--seeds <n>', 'students of each loss, by the seeds 0, 1, …', wholeNumber, 3)
    .addOption(
      new Option(
        '--weights <list>',
        "weights λ that each loss chooses its own from, by students that learn on four fifths of each class's training images and are tested on the others",
      )
        .argParser(weightList)
        .default([], 'none: --kd-weight for all'),
    )
    .option('--weight-seeds <n>', 'students of each loss and weight', wholeNumber, 1)
    .option(
      '--grouping <how>',
      "groups of classes for the dense loss: clusters of the teacher's class prototypes, the run's tasks, or a JSON file of lists of class names or numbers",
      'clusters',
    )
    .option(
      '--groups <n>',
      `clusters; by default the square root of the classes, from 2 to ${MOST_DENSE_TASKS}`,
      wholeNumber,
    )
    .option('--data <folder>', "where the run's data lie now; where the run had them by default")
    .option('--markdown', 'the tables as Markdown');
  const distilling = new Set(Object.keys(offlineSettings));
  for (const [key, setting] of typedSettings) {
    const isPreset = distilling.has(key) || key in networkSettings || key in executionSettings;
    addFlag(command, key, [{ setting: isPreset ? setting : open(setting), owners: [] }], groupOf(key));
  }
  return command;
}

/** Whatever of the student's settings was typed. */
export function studentSettings(command: Command): CompressionSettingsInput {
  const options = command.opts<Record<string, unknown>>();
  const typed = typedSettings.filter(([key]) => command.getOptionValueSource(key) === 'cli');
  return Object.fromEntries(typed.map(([key]) => [key, options[key]]));
}
