/** Which students are to be trained, and what each is known by. */
import { version } from '../../../package.json';
import {
  type CompressionLoss,
  type CompressionSettings,
  type CompressionSettingsInput,
  compressionSettings,
  offlineSettings,
} from '../../continual/compression/settings.ts';
import { executionSettings, networkSettings } from '../../continual/learner-settings.ts';
import type { ClassGroups } from '../../distill/class-groups.ts';
import { recordedConfig, runId } from '../../sweep/run-id.ts';
import type { DistillOptions } from './options.ts';
import type { Teacher } from './teacher.ts';

/** A student that is to be trained. */
export interface PlannedStudent {
  /** Of its configuration. */
  readonly run: string;
  readonly loss: CompressionLoss;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** How the teacher was trained, as far as students are: not its network. */
export function settingsOfTeacher({ training }: Teacher): CompressionSettingsInput {
  const own = (key: string) => key in compressionSettings && !(key in networkSettings) && !(key in executionSettings);
  return Object.fromEntries(Object.entries(training).filter(([key]) => own(key)));
}

/** Settings of the distillation that a loss has. */
const TERMS: Readonly<Record<CompressionLoss, readonly string[]>> = {
  dense: ['temperature', 'kdWeight'],
  kd: ['temperature', 'kdWeight'],
  decoupled: Object.keys(offlineSettings),
  scratch: [],
};

/** Every student that was asked for: known by what its own loss depends on, so that what others are trained by may change. */
export function plannedStudents(
  { loss: losses, seeds }: Pick<DistillOptions, 'loss' | 'seeds'>,
  { config, fingerprint }: Pick<Teacher, 'config' | 'fingerprint'>,
  settings: CompressionSettings,
  groups: ClassGroups | null,
): PlannedStudent[] {
  const all = Object.entries(settings).filter(([key]) => !(key in executionSettings));
  return losses.flatMap((loss) => {
    const values = Object.fromEntries(all.filter(([key]) => !(key in offlineSettings) || TERMS[loss].includes(key)));
    const partition = loss === 'dense' && groups ? { order: groups.order, groupSizes: groups.sizes } : {};
    return Array.from({ length: seeds }, (_, seed) => {
      const own = { data: config.data, teacher: fingerprint, loss, seed, ...values, ...partition };
      return { run: runId(own), loss, seed, config: recordedConfig(own) };
    });
  });
}

/** What a folder says of itself. */
export interface About extends Readonly<Record<string, unknown>> {
  readonly teacher: { readonly fingerprint: string } & Readonly<Record<string, unknown>>;
  readonly settings: CompressionSettings;
}

export function aboutOf(
  { teacher: run, loss, seeds, grouping }: DistillOptions,
  { config, names, fingerprint }: Teacher,
  settings: CompressionSettings,
  groups: ClassGroups | null,
): About {
  let first = 0;
  const lists = groups?.sizes.map((size) => {
    first += size;
    return groups.order.slice(first - size, first).map((label) => names[label]);
  });
  const teacher = { run, fingerprint, method: config.method, model: config.model, width: config.width };
  return { version, teacher, losses: loss, seeds, settings, grouping, ...(lists ? { groups: lists } : {}) };
}
