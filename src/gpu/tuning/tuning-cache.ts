/**
 * What the tuner remembers from one process to the next, and the seam to the place that keeps it: `#tuning-cache` resolves to
 * `tuning-cache-node.ts` (a file an adapter) or `tuning-cache-browser.ts` (IndexedDB), both exporting `tuningCache`.
 */
import { version } from '../../../package.json';
import { isNumber, isRecord } from '../json-shape.ts';

/** The fastest variant for a piece of work, and the milliseconds that one run took by each variant that was measured. */
export interface Choice {
  readonly variant: string;
  readonly ms: Readonly<Record<string, number>>;
}

/** By kernel family and the work's key; see `choiceKey`. */
export type Choices = ReadonlyMap<string, Choice>;

/** Keeps one JSON value an adapter. */
export interface TuningCache {
  /** What was written last; undefined when there is nothing, or nothing that can be read. */
  read(adapter: string): Promise<unknown>;
  /** Puts `change` of what is there in its place; of several writers at once none loses what another wrote. */
  update(adapter: string, change: (kept: unknown) => unknown): Promise<void>;
}

export const choiceKey = (family: string, work: string): string => `${family}: ${work}`;

interface Saved {
  readonly engine: string;
  readonly adapter: string;
  readonly choices: Readonly<Record<string, Choice>>;
}

const isChoice = (value: unknown): value is Choice =>
  isRecord(value) && typeof value.variant === 'string' && isRecord(value.ms) && Object.values(value.ms).every(isNumber);

/** The choices in what a store gave; none where it is damaged, another adapter's, or was measured with other kernels. */
export function readChoices(kept: unknown, adapter: string): Choices {
  if (!isRecord(kept) || kept.engine !== version || kept.adapter !== adapter || !isRecord(kept.choices))
    return new Map();
  const choices = Object.entries(kept.choices);
  return new Map(choices.every((choice): choice is [string, Choice] => isChoice(choice[1])) ? choices : []);
}

/** What to keep when `fresh` choices join those kept. */
export function mergeChoices(kept: unknown, adapter: string, fresh: Choices): Saved {
  const choices = Object.fromEntries([...readChoices(kept, adapter), ...fresh]);
  return { engine: version, adapter, choices };
}
