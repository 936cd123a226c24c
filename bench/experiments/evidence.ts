/**
 * The experiments: sweeps of `bench/sweeps`, run by run, and the pages made of their results. What is done is skipped, and a run
 * that was interrupted goes on after its last epoch.
 *
 *   npm run -s evidence                       everything (Fashion-MNIST: Debian's dataset-fashion-mnist)
 *   npm run -s evidence -- methods pools      sweeps whose names begin so
 *   npm run -s evidence -- --table            only make the pages of what is there
 *   npm run -s evidence -- --list             only say what there is, what is missing, and how long it takes
 */
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { endWithReader, exit, fail } from '../../src/cli/exit.ts';
import { remaining } from '../../src/cli/pace.ts';
import '../../src/index.ts';
import { analysedRuns, comparedLabels, SEARCHES } from './answers.ts';
import { writeEvidence } from './evidence-page.ts';
import { writeMethodTables } from './method-table.ts';
import { ANALYSED, analyseMissing, recordedAnalyses } from './model-analyses.ts';
import { pathsOf, type RecordedSweep, recordedSweep, sweepFolderOf, sweepNames, takeOver } from './recorded-sweep.ts';
import { writeSpeedTables } from './speed-tables.ts';

interface Options {
  readonly jobs: string;
  readonly table?: boolean;
  readonly list?: boolean;
  readonly queue?: string;
}

/** What a run of this sweep takes, as far as is known. */
function describe({ name, runs, results }: RecordedSweep): string {
  const missing = runs.length - results.length;
  const took = results.reduce((total, { seconds }) => total + seconds, 0);
  const left = results.length > 0 ? (took / results.length) * missing : null;
  return (
    `${name}: ${results.length} of ${runs.length} runs done` +
    (missing === 0 ? ` (they took ${remaining(took)})` : left === null ? '' : `, about ${remaining(left)} are left`)
  );
}

/** By the command that anyone has. @param only configurations of it. @returns its exit code. */
function runSweep(name: string, only: readonly string[], { jobs, queue }: Options): Promise<number> {
  const { file, results } = pathsOf(name);
  const where = queue === undefined ? ['--jobs', jobs] : ['--queue', queue];
  const args = ['dist/cli.js', 'sweep', file, '--results', results, '--out', sweepFolderOf(name), ...where];
  // Models after each task are wanted by what analyses them; workers of a queue keep none.
  if (ANALYSED.has(name) && queue === undefined) args.push('--keep-stages');
  if (only.length > 0) args.push('--only', ...only);
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both: the sweep saves, and this waits for it.
  const wait = () => {};
  process.on('SIGINT', wait);
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait);
      done(code ?? (signal === null ? 1 : 130));
    });
  });
}

/** A sweep, or some configurations of it. */
interface Step {
  readonly sweep: RecordedSweep;
  readonly only: () => Promise<string[]>;
}

/** Looks at the models of what was compared. @param sweep as it was before. */
async function analyseCompared({ name }: RecordedSweep): Promise<void> {
  const search = SEARCHES.get(name);
  if (search === undefined || !ANALYSED.has(name)) return;
  const sweep = await recordedSweep(name);
  const away = await analyseMissing(name, analysedRuns(sweep, await recordedSweep(search)), sweep.results);
  if (away > 0) {
    console.log(
      `${name}: ${away} models cannot be analysed, as their runs have no folder in ${sweepFolderOf(name)}. ` +
        `Take their lines out of ${pathsOf(name).results} to have them learnt here.`,
    );
  }
}

/** What decides comes first: searches for weights, then what is compared at those; then what is left of each. */
function inOrder(sweeps: readonly RecordedSweep[]): Step[] {
  const whole = (sweep: RecordedSweep): Step => ({ sweep, only: async () => [] });
  const searches = sweeps.filter(({ name }) => [...SEARCHES.values()].includes(name));
  const compared = sweeps.flatMap((sweep) => {
    const search = SEARCHES.get(sweep.name);
    return search === undefined
      ? []
      : [{ sweep, only: async () => comparedLabels(sweep, await recordedSweep(search)) }];
  });
  return [...searches.map(whole), ...compared, ...sweeps.filter((sweep) => !searches.includes(sweep)).map(whole)];
}

endWithReader();
const program = new Command('evidence')
  .description('Runs what is missing of the experiments, then makes their pages.')
  .argument('[prefix...]', 'sweeps whose names begin with this, for example methods or pools-glyphs')
  .option('--jobs <n>', 'runs at once', '1')
  .option('--queue <url>', 'let the workers of a queue learn the runs; see `engram worker`')
  .option('--table', 'only make the pages of what is there')
  .option('--list', 'only say what there is, what is missing, and how long it takes')
  .parse();
try {
  const options = program.opts<Options>();
  const sweeps = await Promise.all((await sweepNames(program.args)).map(recordedSweep));
  for (const sweep of sweeps) console.log(describe(sweep));
  for (const { name } of sweeps.filter((one) => ANALYSED.has(one.name)))
    console.log(`${name}: ${(await recordedAnalyses(name)).length} models analysed`);
  let code = 0;
  if (!options.list && !options.table) {
    for (const { sweep, only } of inOrder(sweeps)) {
      await takeOver(sweep);
      code = await runSweep(sweep.name, await only(), options);
      if (code !== 0) break;
      await analyseCompared(sweep);
    }
  }
  if (!options.list) {
    await writeMethodTables();
    await writeEvidence();
    await writeSpeedTables();
  }
  exit(code);
} catch (error) {
  fail(error);
}
