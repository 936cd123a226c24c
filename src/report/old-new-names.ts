/** What the parts of a run's tests are called: those of earlier tasks, and the last task's own. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';

/** Names for tables and lines. */
export interface OldNewNames {
  readonly old: string;
  readonly new: string;
}

/** Domains bring no new classes: there earlier domains stand against the newest, where all of these runs learn such. */
export const oldNewNames = (records: readonly Pick<RunRecord, 'config'>[]): OldNewNames =>
  records.length > 0 && records.every(({ config }) => typeof config.domains === 'string')
    ? { old: 'earlier domains', new: 'newest' }
    : { old: 'old classes', new: 'new' };
