/** `engram sweep`: many runs from one file. */
import { fileURLToPath } from 'node:url';
import picocolors from 'picocolors';
import { files } from '#files';
import { version } from '../../package.json';
import { ConfigError } from '../errors.ts';
import { clipped, printable } from '../gpu/printable.ts';
import { counted } from '../report/counted.ts';
import { bestFirst, type ConfigurationResult, compareConfigurations } from '../sweep/comparison.ts';
import { LocalSweep } from '../sweep/local-sweep.ts';
import { type PlannedRun, plannedCounts } from '../sweep/plan.ts';
import { type Connection, connect } from '../sweep/queue/connection.ts';
import { QueueSweep } from '../sweep/queue/queue-sweep.ts';
import { ownResults, type ResultsFile } from '../sweep/results.ts';
import { SweepState } from '../sweep/state.ts';
import type { SweepFile } from '../sweep/sweep-file.ts';
import { sweepLegend, sweepMarkdown, sweepTable } from '../sweep/sweep-table.ts';
import { didYouMean } from './config-flags.ts';
import { Interrupted } from './exit.ts';
import { ownCommand } from './own-name.ts';
import { assertData } from './run-data.ts';
import { runProgram } from './run-program.ts';
import { StopSignal } from './stop-signal.ts';
import { SweepFolder } from './sweep-folder.ts';
import { type Planned, planSweep } from './sweep-plan.ts';
import { SweepView } from './sweep-view.ts';

export interface SweepOptions {
  readonly out?: string;
  /** Where results go; a file in the sweep's folder by default. */
  readonly results?: string;
  readonly jobs: number;
  readonly saveEvery: number;
  readonly retries: number;
  readonly keepStages?: boolean;
  readonly limit: number;
  /** Labels of the configurations that are run; all of them by default. */
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly table?: boolean;
  readonly markdown?: boolean;
  /** Prints the JSON Schema of sweeps instead. */
  readonly schema?: boolean;
  /** Address of the queue whose workers learn the runs. */
  readonly queue?: string;
}

/** What the build made of the schema, beside the command line. */
const SCHEMA = fileURLToPath(new URL('sweep.schema.json', import.meta.url));

/**
 * Runs what is not done yet.
 * @throws {ConfigError | DataError}
 * @throws Interrupted after Ctrl-C.
 */
export async function sweep(file: string | undefined, options: SweepOptions): Promise<void> {
  if (options.schema) {
    process.stdout.write(await files.readText(SCHEMA));
    return;
  }
  if (file === undefined) {
    throw new ConfigError({
      where: 'engram sweep',
      message: 'no file was given.',
      fix: 'Name the file of the sweep, before the options; --help shows one, and --schema says all that one may hold.',
    });
  }
  if (options.keepStages && options.queue !== undefined) {
    throw new ConfigError({
      where: '--keep-stages',
      message: 'runs on a queue move from machine to machine, and the models of their tasks would not move along.',
      fix: 'Leave it out, or run the sweep without --queue.',
    });
  }
  const planned = await planSweep(file, options.limit);
  const runs = chosenRuns(planned, options.only);
  const path = options.out ?? `runs/${planned.sweep.name}`;
  if (options.list) return listRuns(runs);
  const known = await SweepFolder.resultsIn(path, planned.sweep.name, options.results);
  if (options.table) {
    printTable(planned, known, options);
    return;
  }
  if (options.queue === undefined) {
    // What is done needs its data no more.
    const open = runs.filter(({ id }) => !known.has(id));
    for (const data of new Set(open.map(({ config }) => config.data))) await assertData(data, '"data" in the sweep');
  }
  // A queue that cannot be reached leaves no folder behind.
  const connection = options.queue === undefined ? null : await connect(options.queue, version);
  try {
    const folder = await SweepFolder.take(path, planned.sweep.name, await files.readText(file), options.results);
    try {
      await runAll(planned, runs, folder, connection, options);
    } finally {
      folder.close();
    }
  } finally {
    await connection?.close();
  }
}

/** @throws {ConfigError} for a label that no configuration has. */
function chosenRuns({ runs }: Planned, only: readonly string[] | undefined): readonly PlannedRun[] {
  if (!only) return runs;
  const labels = [...plannedCounts(runs).keys()];
  const unknown = only.find((label) => !labels.includes(label));
  if (unknown === undefined) return runs.filter(({ label }) => only.includes(label));
  throw new ConfigError({
    where: '--only',
    message: `no configuration of this sweep is called "${clipped(unknown)}".`,
    fix: `${didYouMean(unknown, labels)} \`engram sweep FILE --list\` names them all.`,
  });
}

function listRuns(runs: readonly PlannedRun[]): void {
  for (const { id, label, pair } of runs) console.log(printable([id, label, pair].filter(Boolean).join('  ')));
}

/** A random search is looked through for what did best, as its draws have no order; a grid stays as its file has it. */
const isBestFirst = ({ sweep: file }: Planned): boolean => file.method === 'random';

/** The lines of the table. @param runs of the configurations that it is of. */
function comparisonOf(planned: Planned, runs: readonly PlannedRun[], results: ResultsFile): ConfigurationResult[] {
  const compared = compareConfigurations(ownResults(runs, results), planned.baseline);
  return isBestFirst(planned) ? bestFirst(compared) : compared;
}

function printTable(planned: Planned, results: ResultsFile, { markdown }: SweepOptions): void {
  const { runs, baseline } = planned;
  const compared = comparisonOf(planned, runs, results);
  const counts = plannedCounts(runs);
  const legend = sweepLegend(compared, { runs, baseline, isBestFirst: isBestFirst(planned) });
  console.log(markdown ? sweepMarkdown(compared, counts) : sweepTable(compared, counts));
  if (legend !== '') console.log(markdown ? `\n${legend}` : picocolors.dim(legend));
}

async function runAll(
  planned: Planned,
  runs: readonly PlannedRun[],
  folder: SweepFolder,
  connection: Connection | null,
  options: SweepOptions,
): Promise<void> {
  const { sweep: file } = planned;
  const { results } = folder;
  const state = new SweepState(runs);
  const done = ownResults(runs, results).length;
  const lines = [
    `sweep     ${file.name}: ${counted(runs.length, 'run')} of ${counted(plannedCounts(runs).size, 'configuration')}` +
      `${done > 0 ? `, ${done} of them done before` : ''}`,
    `folder    ${printable(folder.path)}`,
    ...(connection ? [`queue     ${printable(connection.url)}`] : []),
  ];
  for (const line of lines) console.log(picocolors.dim(line));
  const view = new SweepView({
    ...{ state, results },
    compared: () => comparisonOf(planned, runs, results),
    atOnce: () => (connection ? state.of('running').length : options.jobs),
    notice: () =>
      connection && connection.redis.status !== 'ready'
        ? `The queue does not answer. Workers go on with what they have; what they come to is heard when it does.`
        : '',
  });
  const runner = runnerOf(file, { folder, state, connection, options, onEnd: (run) => view.ended(run) });
  const signal = new StopSignal(() => {
    runner.stop();
    // What waits for an answer that does not come must not wait for ever.
    if (connection && connection.redis.status !== 'ready') process.exit(signal.code);
  });
  try {
    await runner.run();
  } finally {
    view.stop();
    signal.dispose();
  }
  printTable(planned, results, options);
  conclude(state, signal.code);
}

interface Running {
  readonly folder: SweepFolder;
  readonly state: SweepState;
  readonly connection: Connection | null;
  readonly options: SweepOptions;
  readonly onEnd: (run: PlannedRun) => void;
}

/** On this machine, or by the workers of a queue. */
function runnerOf(file: SweepFile, { folder, state, connection, options, onEnd }: Running): LocalSweep | QueueSweep {
  const { results } = folder;
  const { jobs, saveEvery, retries, keepStages = false } = options;
  const { earlyStop, name } = file;
  if (connection)
    return new QueueSweep({ connection, sweep: name, results, state, saveEvery, retries, earlyStop, onEnd });
  const program = runProgram(jobs);
  return new LocalSweep({
    folder: folder.runs,
    results,
    state,
    program,
    jobs,
    saveEvery,
    keepStages,
    retries,
    earlyStop,
    onEnd,
  });
}

/**
 * What is left to say of a sweep that ends here.
 * @throws Interrupted where it was stopped, and where runs failed.
 */
export function conclude(state: SweepState, code: number): void {
  const failed = state.of('failed');
  const open = state.runs.length - failed.length - state.of('done').length;
  if (open > 0) {
    throw new Interrupted(
      `Stopped, and what is done is saved. ${counted(open, 'run')} ${open === 1 ? 'is' : 'are'} left; to go on: ${ownCommand()}`,
      code || 1,
    );
  }
  if (failed.length === 0) return;
  const [first] = failed;
  throw new Interrupted(
    `${failed.length} of ${counted(state.runs.length, 'run')} failed; the first (${first?.run.label}): ${(first?.error ?? '').replace(/\.$/, '')}. ` +
      'The same command tries them again.',
    1,
  );
}
