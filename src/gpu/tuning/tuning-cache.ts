/**
 * What the tuner remembers from one process to the next, and the seam to the place that keeps it: `#tuning-cache` resolves to
 * `tuning-cache-node.ts` (a file an adapter) or `tuning-cache-browser.ts` (IndexedDB), both exporting `tuningCache`.
 */
import * as v from 'valibot';
import { version } from '../../../package.json';

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

const savedSchema = v.object({
  engine: v.literal(version),
  adapter: v.string(),
  choices: v.record(v.string(), v.object({ variant: v.string(), ms: v.record(v.string(), v.number()) })),
});

/** The choices in what a store gave; none where it is damaged, another adapter's, or was measured with other kernels. */
export function readChoices(kept: unknown, adapter: string): Choices {
  const { success, output } = v.safeParse(savedSchema, kept);
  return new Map(success && output.adapter === adapter ? Object.entries(output.choices) : []);
}

/** What to keep when `fresh` choices join those kept. */
export function mergeChoices(kept: unknown, adapter: string, fresh: Choices): v.InferOutput<typeof savedSchema> {
  const choices = Object.fromEntries([...readChoices(kept, adapter), ...fresh]);
  return { engine: version, adapter, choices };
}
