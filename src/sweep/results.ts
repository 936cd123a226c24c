/** Results of a sweep: a line a run in a JSON-lines file, added to, and no run twice. */
import * as v from 'valibot';
import { files } from '#files';
import { DataError } from '../errors.ts';
import type { RunFigures } from './messages.ts';
import type { PlannedRun } from './plan.ts';
import { recordedConfig } from './run-id.ts';

const finite = v.pipe(v.number(), v.finite());

const resultSchema = v.object({
  /** Of its configuration. */
  run: v.string(),
  /** Its configuration among the sweep's, and what pairs it with runs of others; see `PlannedRun`. */
  label: v.string(),
  pair: v.string(),
  /** Percent, forgetting in points (Chaudhry et al. 2018). */
  average: finite,
  last: finite,
  forgetting: finite,
  /** Accuracy over all classes seen, after each task. */
  curve: v.array(finite),
  /** Row t: accuracy on tasks 0 … t after task t. */
  matrix: v.array(v.array(finite)),
  /** Tasks after which the run was stopped for being hopeless; its figures are of these. */
  stopped: v.exactOptional(finite),
  /** As the clock has it. */
  seconds: finite,
  /** Of all threads, the adapter's too where it is a software one; `null` for a run that was gone on with. */
  cpuSeconds: v.nullable(finite),
  adapter: v.string(),
  date: v.string(),
  version: v.string(),
  /** As it was used, defaults included; where data lie left out. */
  config: v.record(v.string(), v.unknown()),
});
export type SweepResult = v.InferOutput<typeof resultSchema>;

/** Percent are recorded to two digits. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

/** @param stopped tasks after which the run was stopped for being hopeless. */
export function resultOf(
  { id, label, pair, config }: PlannedRun,
  figures: RunFigures,
  stopped: number | null,
): SweepResult {
  const { average, last, forgetting, curve, matrix, seconds, cpuSeconds, adapter, date, version } = figures;
  return {
    run: id,
    label,
    pair,
    average: rounded(average),
    last: rounded(last),
    forgetting: rounded(forgetting),
    curve: curve.map(rounded),
    matrix: matrix.map((row) => row.map(rounded)),
    ...(stopped === null ? {} : { stopped }),
    seconds: Math.round(seconds),
    cpuSeconds: cpuSeconds === null ? null : Math.round(cpuSeconds),
    adapter,
    date,
    version,
    config: recordedConfig(config),
  };
}

/**
 * Results of these runs, in their order, under what the sweep calls them now: a label tells what varies, so that one which grew by
 * a parameter has others than its results were recorded with.
 */
export const ownResults = (runs: readonly PlannedRun[], results: ResultsFile): SweepResult[] =>
  runs.flatMap(({ id, label, pair }) => {
    const found = results.get(id);
    return found ? [{ ...found, label, pair }] : [];
  });

/** What lines of results are: each of a run that is known by its name. */
export type ResultSchema<R extends Result> = v.GenericSchema<unknown, R>;
interface Result {
  readonly run: string;
}

function parseLine<R extends Result>(line: string, where: string, schema: ResultSchema<R>): R {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), line);
  if (parsed.success) return parsed.output;
  throw new DataError({
    where,
    message: `this is not the result of a run: ${parsed.issues[0].message}.`,
    fix: 'Take the line out; its run is then run again.',
  });
}

/** @throws {DataError} for a line that is no result. A last line that was cut off is none. */
export const parseResults = (text: string, where: string): SweepResult[] => parseLines(text, where, resultSchema);

function parseLines<R extends Result>(text: string, where: string, schema: ResultSchema<R>): R[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line, at) => (line === '' ? [] : [parseLine(line, `${where}, line ${at + 1}`, schema)]));
}

/** A file of results, open in one process at a time. */
export class ResultsFile<R extends Result = SweepResult> {
  private readonly known: Map<string, R>;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private readonly schema: ResultSchema<R>,
    results: readonly R[],
  ) {
    this.known = new Map(results.map((result) => [result.run, result]));
  }

  /** Reads what is there; a line that a killed process left half written is taken away. @throws {DataError} */
  static open(path: string): Promise<ResultsFile> {
    return ResultsFile.openAs(path, resultSchema);
  }

  /** {@link open}, for results of another kind. @throws {DataError} */
  static async openAs<R extends Result>(path: string, schema: ResultSchema<R>): Promise<ResultsFile<R>> {
    const text = (await files.exists(path)) ? await files.readText(path) : '';
    const results = parseLines(text, path, schema);
    if (text !== '' && !text.endsWith('\n')) await files.write(path, text.slice(0, text.lastIndexOf('\n') + 1));
    return new ResultsFile(path, schema, results);
  }

  /** What is there as yet, without changing anything. @throws {DataError} */
  static async read(path: string): Promise<ResultsFile> {
    const results = (await files.exists(path)) ? parseResults(await files.readText(path), path) : [];
    return new ResultsFile(path, resultSchema, results);
  }

  get all(): readonly R[] {
    return [...this.known.values()];
  }

  has(run: string): boolean {
    return this.known.has(run);
  }

  get(run: string): R | undefined {
    return this.known.get(run);
  }

  /** @returns whether it was added: one that is there stays as it is. */
  async add(result: R): Promise<boolean> {
    if (this.known.has(result.run)) return false;
    const line = `${JSON.stringify(v.parse(this.schema, result))}\n`;
    this.known.set(result.run, result);
    this.writing = this.writing.then(() => files.append(this.path, line));
    await this.writing;
    return true;
  }
}
