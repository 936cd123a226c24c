/** All that is measured of a run, what is known of it left as it is. */
import type { AnalysedRun } from './analysed-run.ts';
import { ANALYSES, type AnalysisName, type AnalysisRecord } from './analysis-record.ts';
import { measures } from './measures.ts';

/** What is to be measured. */
export interface AnalyseOptions {
  /** The run's own name. */
  name: string;
  /** Tells this state of the run from its others; what is known of another one is not used. */
  state: string;
  /** All by default. */
  only?: readonly AnalysisName[];
  /** What was measured before. */
  known?: AnalysisRecord | null;
  /** Is told how much of a measure is done. */
  onProgress?: (name: AnalysisName, done: number, of: number) => void;
  /** Is given the record after each measure that was taken, to be kept. */
  onMeasured?: (name: AnalysisName, record: AnalysisRecord) => void | Promise<void>;
}

/** What came of it. */
export interface Analysis {
  readonly record: AnalysisRecord;
  /** What was asked for and cannot be measured, and why, in a clause. */
  readonly missing: readonly { readonly name: AnalysisName; readonly why: string }[];
}

/** Why it cannot be measured of a run, in a clause; `null` where it can. */
function obstacle({ stages, benchmark }: AnalysedRun, name: AnalysisName): string | null {
  if (!measures[name].ofStages || stages.length > 1) return null;
  return benchmark.tasksDone === 1
    ? 'one task is learnt, and there is no earlier model to compare with'
    : 'the weights after earlier tasks were not kept';
}

/**
 * Measures of a run what is asked for and not known yet.
 * @throws {ArgumentError} when a gradient is not finite.
 * @throws {ConfigError} when the model's scores are not finite.
 * @throws {CheckpointError} when the weights after an earlier task are damaged.
 * @example
 * const run = new AnalysedRun(benchmark, { images: 256 });
 * const { record } = await analyse(run, { name: 'mine', state: '1', only: ['hessian', 'sharpness'] });
 * console.log(record.parts.hessian?.result.eigenvalues);
 */
export async function analyse(
  run: AnalysedRun,
  { name, state, only = ANALYSES, known, onProgress, onMeasured }: AnalyseOptions,
): Promise<Analysis> {
  const { benchmark, engine } = run;
  const parts: Record<string, unknown> = known?.state === state ? { ...known.parts } : {};
  const record = {
    name,
    method: benchmark.method.name,
    dataset: benchmark.config.data,
    config: { ...benchmark.config },
    tasks: benchmark.tasksDone,
    state,
    adapter: engine.adapterDescription,
    parts,
  } as AnalysisRecord;
  const missing: { name: AnalysisName; why: string }[] = [];
  for (const what of ANALYSES.filter((one) => only.includes(one))) {
    const why = obstacle(run, what);
    if (why) {
      missing.push({ name: what, why });
      continue;
    }
    const settings = { ...measures[what].settings(run) };
    if (JSON.stringify(record.parts[what]?.settings) === JSON.stringify(settings)) continue;
    parts[what] = { settings, result: await measures[what].measure(run, (done, of) => onProgress?.(what, done, of)) };
    await onMeasured?.(what, record);
  }
  return { record, missing };
}
