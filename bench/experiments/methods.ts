/**
 * All methods under the same protocols, in the same class orders. Fills the results run by run: what is done is skipped, and a
 * run that was interrupted goes on after its last epoch. Then makes the table, and puts it into the README.
 *
 *   npm run -s methods                       everything (Fashion-MNIST: Debian's dataset-fashion-mnist, or --fashion DIR)
 *   npm run -s methods -- glyphs/fdkd        what begins with this
 *   npm run -s methods -- --table            only make the table of what is there
 *   npm run -s methods -- fashion/wa --search 7 --set align=false
 *                                            try settings, on an order of the classes that is none of the table's
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { version } from '../../package.json';
import { typedSettings } from '../../src/cli/assignments.ts';
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
import { type MethodRun, methodRuns, ORDERS } from './method-protocols.ts';
import { addMethodResult, type MethodResult, readMethodResults, recorded, resultOf } from './method-results.ts';
import { SEARCHED, writeMethodTables } from './method-table.ts';

const RESULTS = 'bench/results/methods.jsonl';

interface Options {
  readonly fashion: string;
  readonly results: string;
  readonly folders: string;
  readonly table?: boolean;
  readonly search?: number;
  readonly set: readonly string[];
}

/** What is asked for: the comparison's runs, or those of a search for settings, and where their results go. */
interface Wanted {
  readonly runs: readonly MethodRun[];
  readonly results: string;
  readonly folders: string;
}

function wanted(prefixes: readonly string[], { fashion, results, folders, search, set }: Options): Wanted {
  const begins = ({ name }: MethodRun) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  if (search === undefined) {
    if (set.length > 0) throw new InvalidArgumentError('--set tries settings: it goes with --search ORDER.');
    return { runs: methodRuns(fashion).filter(begins), results, folders };
  }
  const runs = methodRuns(fashion, { orders: [search], tried: typedSettings({}, set).settings }).filter(begins);
  // What was tried is in the folder's name, so that one that was interrupted does not go on with other settings.
  const tried = set.map((text) => text.replaceAll(/[^\w.=-]/g, '_')).join(',');
  return { runs, results: SEARCHED, folders: join(folders, `search-${tried}`) };
}

/** An order that is none of the table's: settings chosen on those would be chosen by the table's own figures. */
function searchOrder(text: string): number {
  const order = Number(text);
  const isTaken = ORDERS.some((taken) => taken === order);
  if (Number.isInteger(order) && order >= 0 && !isTaken) return order;
  throw new InvalidArgumentError(`a whole number was expected, and none of the table's orders ${ORDERS.join(', ')}.`);
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

async function fill({ runs, results, folders }: Wanted): Promise<void> {
  const done = await readMethodResults(results);
  const missing = runs.filter((one) => !resultOf(done, one));
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
  .option(
    '--search <order>',
    `try settings, in an order of the classes by this seed; results go to ${SEARCHED}`,
    searchOrder,
  )
  .option('--set <key=value...>', 'settings to try', [])
  .parse();
try {
  const options = program.opts<Options>();
  if (!options.table) await fill(wanted(program.args, options));
  const tables = await writeMethodTables(options.results, { write: options.results === RESULTS });
  console.log(tables);
  exit(0);
} catch (error) {
  fail(error);
}
