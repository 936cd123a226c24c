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
import { USUAL_FRACTION } from '../../data/test-part.ts';
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
  /** λ; null for a loss that distils nothing. */
  readonly kdWeight: number | null;
  readonly config: Readonly<Record<string, unknown>>;
}

/** How the teacher was trained, as far as students are: not its network. */
export function settingsOfTeacher({ training }: Teacher): CompressionSettingsInput {
  const own = (key: string) => key in compressionSettings && !(key in networkSettings) && !(key in executionSettings);
  return Object.fromEntries(Object.entries(training).filter(([key]) => own(key)));
}

/** Settings of the distillation that a loss has. */
export const TERMS: Readonly<Record<CompressionLoss, readonly string[]>> = {
  dense: ['temperature', 'kdWeight'],
  kd: ['temperature', 'kdWeight'],
  decoupled: Object.keys(offlineSettings),
  scratch: [],
};

/** What students are planned by. */
export interface Plan {
  readonly teacher: Pick<Teacher, 'config' | 'fingerprint'>;
  readonly settings: CompressionSettings;
  readonly groups: ClassGroups | null;
}

/** A student: known by what its own loss depends on, so that what others are trained by may change. */
function planned(
  { teacher: { config, fingerprint }, settings, groups }: Plan,
  loss: CompressionLoss,
  seed: number,
  more: Readonly<Record<string, unknown>>,
): PlannedStudent {
  const all = Object.entries({ ...settings, ...more }).filter(([key]) => !(key in executionSettings));
  const values = Object.fromEntries(all.filter(([key]) => !(key in offlineSettings) || TERMS[loss].includes(key)));
  const partition = loss === 'dense' && groups ? { order: groups.order, groupSizes: groups.sizes } : {};
  const own = { data: config.data, teacher: fingerprint, loss, seed, ...values, ...partition };
  const kdWeight = 'kdWeight' in values ? (values.kdWeight as number) : null;
  return { run: runId(own), loss, seed, kdWeight, config: recordedConfig(own) };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Every student that was asked for. @param weights λ of losses that have their own. */
export const plannedStudents = (
  { loss: losses, seeds }: Pick<DistillOptions, 'loss' | 'seeds'>,
  plan: Plan,
  weights: ReadonlyMap<CompressionLoss, number>,
): PlannedStudent[] =>
  losses.flatMap((loss) => {
    const own = weights.get(loss);
    return range(seeds).map((seed) => planned(plan, loss, seed, own === undefined ? {} : { kdWeight: own }));
  });

/** No student that is compared has the seed of one that was tried. */
const FIRST_TRIAL_SEED = 1000;

/** The students that each loss's weight is chosen by: of every weight the same seeds. */
export const plannedTrials = (
  { loss: losses, weights, weightSeeds }: Pick<DistillOptions, 'loss' | 'weights' | 'weightSeeds'>,
  plan: Plan,
): PlannedStudent[] =>
  losses
    .filter((loss) => TERMS[loss].includes('kdWeight'))
    .flatMap((loss) =>
      weights.flatMap((kdWeight) =>
        range(weightSeeds).map((seed) =>
          planned(plan, loss, FIRST_TRIAL_SEED + seed, { kdWeight, heldOut: USUAL_FRACTION }),
        ),
      ),
    );

/** What a folder says of itself. */
export interface About extends Readonly<Record<string, unknown>> {
  readonly teacher: { readonly fingerprint: string } & Readonly<Record<string, unknown>>;
  readonly losses: readonly CompressionLoss[];
  readonly seeds: number;
  readonly settings: CompressionSettings;
  /** What each loss chose its λ from, rising. */
  readonly weights?: readonly number[];
  readonly weightSeeds?: number;
  readonly grouping: string;
  /** Names of the classes in each group; none where no loss has groups. */
  readonly groups?: readonly (readonly string[])[];
}

export function aboutOf(
  { teacher: run, loss, seeds, grouping, weights, weightSeeds }: DistillOptions,
  { config, names, fingerprint }: Teacher,
  settings: CompressionSettings,
  groups: ClassGroups | null,
): About {
  let first = 0;
  const lists = groups?.sizes.map((size) => {
    first += size;
    return groups.order.slice(first - size, first).map((label) => names[label] as string);
  });
  const teacher = { run, fingerprint, method: config.method, model: config.model, width: config.width };
  return {
    version,
    teacher,
    losses: loss,
    seeds,
    settings,
    ...(weights.length > 0 ? { weights, weightSeeds } : {}),
    grouping,
    ...(lists ? { groups: lists } : {}),
  };
}
