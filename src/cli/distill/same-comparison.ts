/** What a folder of students compares: more losses, seeds and weights may join it; students that were trained otherwise may not. */
import * as v from 'valibot';
import { COMPRESSION_LOSSES, type CompressionLoss, offlineSettings } from '../../continual/compression/settings.ts';
import { executionSettings } from '../../continual/learner-settings.ts';
import { flagOf } from '../../continual/setting-name.ts';
import { ConfigError } from '../../errors.ts';
import type { StudentResult } from '../../report/compression-results.ts';
import { type About, type PlannedStudent, TERMS } from './plan.ts';

/** What is read of what a folder says of itself. */
export const aboutSchema = v.object({
  teacher: v.object({ fingerprint: v.string() }),
  losses: v.array(v.picklist(COMPRESSION_LOSSES)),
  seeds: v.number(),
  settings: v.looseObject({ model: v.string(), width: v.number() }),
  weights: v.exactOptional(v.array(v.number())),
  weightSeeds: v.exactOptional(v.number()),
  grouping: v.string(),
  groups: v.exactOptional(v.array(v.array(v.string()))),
});
type Before = v.InferOutput<typeof aboutSchema>;

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether some of these losses depends on a setting: one of the distillation is a matter of those that have it. */
const isOf = (losses: readonly CompressionLoss[], key: string): boolean =>
  !(key in executionSettings) && (!(key in offlineSettings) || losses.some((loss) => TERMS[loss].includes(key)));

const told = (value: unknown): string => (value === undefined ? 'none' : String(value));

const difference = (key: string, before: unknown, now: unknown): string =>
  `${flagOf(key)} ${told(before)}, and now ${told(now)}`;

/** The settings that both are trained by and that differ. */
function settingDifferences(before: Before, now: About, keys: readonly string[]): string[] {
  const [then, asked]: Readonly<Record<string, unknown>>[] = [before.settings, now.settings];
  return keys
    .filter((key) => isOf(before.losses, key) && isOf(now.losses, key) && !isEqual(then?.[key], asked?.[key]))
    .map((key) => difference(key, then?.[key], asked?.[key]));
}

/** More weights may be tried, as the end of a search asks for; of fewer, students of other weights would be compared. */
function weightDifferences(before: Before, now: About): string[] {
  if (!isOf(before.losses, 'kdWeight') || !isOf(now.losses, 'kdWeight')) return [];
  const { weights: then, weightSeeds: thenSeeds = 1 } = before;
  const { weights, weightSeeds = 1 } = now;
  const isMore = then === undefined ? weights === undefined : then.every((weight) => weights?.includes(weight));
  return [
    ...(isMore ? [] : [difference('weights', then, weights)]),
    ...(then && weights && weightSeeds < thenSeeds ? [difference('weightSeeds', thenSeeds, weightSeeds)] : []),
  ];
}

function groupDifferences(before: Before, now: About): string[] {
  if (!before.groups || !now.groups || isEqual(before.groups, now.groups)) return [];
  const said = [before, now].map(({ grouping, groups }) => `${grouping} (${groups?.length} groups)`);
  return [`--grouping ${said.join(', and now other groups of ')}`];
}

/**
 * @param path of the folder.
 * @throws {ConfigError} for students of another teacher, network or training.
 */
export function assertJoins(path: string, before: Before, now: About): void {
  const refuse = (message: string) =>
    new ConfigError({
      where: path,
      message: `the students in this folder ${message}.`,
      fix: 'Give what they were trained by, beside which losses and --seeds may be added, or choose another --out.',
    });
  if (before.teacher.fingerprint !== now.teacher.fingerprint)
    throw refuse('are of another teacher, or of other weights of this one');
  const network = settingDifferences(before, now, ['model', 'width']);
  if (network.length > 0) throw refuse(`are of another network: ${network.join('; ')}`);
  const keys = [...new Set([...Object.keys(before.settings), ...Object.keys(now.settings)])];
  const others = [
    ...settingDifferences(before, now, keys),
    ...weightDifferences(before, now),
    ...groupDifferences(before, now),
  ];
  if (others.length > 0) throw refuse(`were trained otherwise: ${others.join('; ')}`);
}

const both = <T>(all: readonly T[], ...lists: (readonly T[])[]): T[] =>
  all.filter((one) => lists.some((list) => list.includes(one)));

/** What a folder says of itself when more has joined it. */
export function joined(before: Before, now: About): About {
  const kept = Object.entries(before.settings).filter(([key]) => key in offlineSettings && !isOf(now.losses, key));
  const weights = [...new Set([...(before.weights ?? []), ...(now.weights ?? [])])].sort((a, b) => a - b);
  const grouped = now.groups || !before.groups ? now : before;
  return {
    ...now,
    losses: both(COMPRESSION_LOSSES, before.losses, now.losses),
    seeds: Math.max(before.seeds, now.seeds),
    settings: { ...now.settings, ...Object.fromEntries(kept) },
    ...(weights.length > 0 ? { weights, weightSeeds: Math.max(before.weightSeeds ?? 1, now.weightSeeds ?? 1) } : {}),
    grouping: grouped.grouping,
    ...(grouped.groups ? { groups: grouped.groups } : {}),
  };
}

/**
 * The results of a comparison that grew: of the students that are asked for, and of the folder's others beside them. A loss is
 * compared at one weight, which more weights to choose from may have changed, and a seed counts once.
 */
export function comparedResults(
  asked: readonly PlannedStudent[],
  all: readonly StudentResult[],
): readonly StudentResult[] {
  const weightOf = ({ config }: StudentResult) => config.kdWeight ?? null;
  const known = new Map(all.map((result) => [result.run, result]));
  const own = asked.flatMap(({ run }) => known.get(run) ?? []);
  const compared = new Map(own.map((result) => [`${result.loss} ${result.seed}`, result]));
  for (const result of all.toReversed()) {
    const place = `${result.loss} ${result.seed}`;
    const first = [...compared.values()].find(({ loss }) => loss === result.loss);
    if (!compared.has(place) && (!first || weightOf(first) === weightOf(result))) compared.set(place, result);
  }
  return [...compared.values()];
}
