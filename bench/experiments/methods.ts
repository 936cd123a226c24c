/**
 * All methods under the same protocols, in the same class orders. Fills the results run by run: what is done is skipped, and a
 * run that was interrupted goes on after its last epoch. Then makes the table, and puts it into the README.
 *
 *   npm run -s methods                       everything (Fashion-MNIST: Debian's dataset-fashion-mnist, or --fashion DIR)
 *   npm run -s methods -- glyphs/fdkd        what begins with this
 *   npm run -s methods -- --table            only make the table of what is there
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { version } from '../../package.json';
import { environmentOptions } from '../../src/cli/environment.ts';
import { exit, fail } from '../../src/cli/exit.ts';
import { learn } from '../../src/cli/learn.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { type Config, parseConfig } from '../../src/continual/benchmark/config.ts';
import { accuracyCurve } from '../../src/continual/benchmark/metrics/accuracy.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';
import { silenceDrivers } from '../../src/gpu/adapter/driver-chatter-node.ts';
import '../../src/index.ts';
import { Engine } from '../../src/tensor/engine.ts';
import { FASHION_FOLDER, rounded } from './experiment.ts';
import { type MethodRun, methodRuns } from './method-protocols.ts';
import { addMethodResult, type MethodResult, readMethodResults, recorded, resultOf } from './method-results.ts';
import { writeMethodTables } from './method-table.ts';

const RESULTS = 'bench/results/methods.jsonl';

interface Options {
  readonly fashion: string;
  readonly results: string;
  readonly folders: string;
  readonly table?: boolean;
}

/** @param folders where runs under way have theirs; that of a finished one is taken away. */
async function run(engine: Engine, { name, config: given }: MethodRun, folders: string): Promise<MethodResult> {
  const config = parseConfig(given, name);
  const path = join(folders, name.replaceAll('/', '-'));
  const begun = existsSync(join(path, 'config.json')) ? await RunFolder.open(path) : null;
  const folderOf = async (complete: Config) => begun ?? RunFolder.create(path, complete);
  const before = process.cpuUsage();
  const record = await learn(engine, await loadDataset(config.data), config, folderOf, { quiet: true, saveEvery: 1 });
  const { user, system } = process.cpuUsage(before);
  await rm(path, { recursive: true });
  return {
    run: name,
    config: recorded(given),
    average: rounded(record.average),
    last: rounded(record.last),
    forgetting: rounded(record.forgetting),
    curve: accuracyCurve(record.matrix, record.classesPerTask).map(rounded),
    matrix: record.matrix.map((row) => row.map(rounded)),
    seconds: Math.round(record.seconds),
    cpuSeconds: begun ? null : Math.round((user + system) / 1e6),
    adapter: record.adapter,
    date: new Date().toISOString().slice(0, 10),
    version,
  };
}

async function fill(prefixes: readonly string[], { fashion, results, folders }: Options): Promise<void> {
  const done = await readMethodResults(results);
  const missing = methodRuns(fashion).filter(
    (one) => (prefixes.length === 0 || prefixes.some((prefix) => one.name.startsWith(prefix))) && !resultOf(done, one),
  );
  if (missing.length === 0) return;
  silenceDrivers();
  const engine = await Engine.create(environmentOptions());
  for (const [at, one] of missing.entries()) {
    console.error(`${one.name} (${at + 1} of ${missing.length}, ${engine.adapterDescription})`);
    const result = await run(engine, one, folders);
    await addMethodResult(results, result);
    console.error(`${one.name}: average ${result.average} %, last ${result.last} %, ${result.seconds} s`);
  }
  await engine.destroy();
}

const program = new Command('methods')
  .description('All methods under the same protocols: runs what is not in the results yet, then makes the table.')
  .argument('[prefix...]', 'runs that begin with this, for example fashion/kd or glyphs')
  .option('--fashion <dir>', 'folder of the full Fashion-MNIST in IDX format', FASHION_FOLDER)
  .option('--results <file>', 'where results are added', RESULTS)
  .option('--folders <dir>', 'where runs under way are kept', 'runs/methods')
  .option('--table', 'only make the table of what is there')
  .parse();
try {
  const options = program.opts<Options>();
  if (!options.table) await fill(program.args, options);
  const tables = await writeMethodTables(options.results, { write: options.results === RESULTS });
  console.log(tables);
  exit(0);
} catch (error) {
  fail(error);
}
