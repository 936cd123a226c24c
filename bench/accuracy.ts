/**
 * Reproduces the project's reference accuracies: class-incremental Fashion-MNIST and glyphs under fixed protocols, two
 * class orders each. Results are added line by line to a JSON-lines file, and a run that is already there is skipped, so
 * that it can be stopped and gone on with.
 *
 *   npm run -s accuracy                      everything (Fashion-MNIST needs Debian's dataset-fashion-mnist or --fashion DIR)
 *   npm run -s accuracy -- glyphs/fdkd       what begins with this
 */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import '../src/index.ts';
import { type ConfigInput, parseConfig } from '../src/continual/config.ts';
import { Learner } from '../src/continual/learner.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { Engine } from '../src/gpu/engine.ts';
import { type Protocol, protocols } from './accuracy-protocols.ts';
import { type AccuracyResult, accuracyTable } from './accuracy-table.ts';

const program = new Command('accuracy')
  .description('Reference accuracies: runs every protocol that is not in the results yet, then prints the table.')
  .argument('[prefix...]', 'protocols that begin with this, for example fashion/kd or glyphs')
  .option('--fashion <dir>', 'folder of the full Fashion-MNIST in IDX format', '/usr/share/datasets/fashion-mnist')
  .option('--results <file>', 'where results are added', 'bench/results/accuracy.jsonl')
  .option('--table', 'only print the table of what is there')
  .parse();
const options = program.opts<{ fashion: string; results: string; table?: boolean }>();

async function readResults(): Promise<AccuracyResult[]> {
  const text = await readFile(options.results, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AccuracyResult);
}

async function run(engine: Engine, protocol: Protocol): Promise<AccuracyResult> {
  const input: ConfigInput = { ...protocol.config, data: protocol.dataset === 'fashion' ? options.fashion : 'glyphs' };
  const config = parseConfig(input, protocol.name);
  const learner = new Learner(engine, await loadDataset(config.data), config);
  const started = performance.now();
  for await (const event of learner.run()) {
    if (event.type === 'task')
      process.stderr.write(
        `${protocol.name} task ${event.task + 1}: ${event.accuracy.toFixed(1)} % (${event.seconds.toFixed(0)} s)\n`,
      );
  }
  const { average, last, forgetting, curve } = learner.summary;
  learner.dispose();
  return {
    name: protocol.name,
    average,
    last,
    forgetting,
    curve: [...curve],
    seconds: (performance.now() - started) / 1000,
    adapter: engine.adapterDescription,
    date: new Date().toISOString().slice(0, 10),
  };
}

const done = await readResults();
const wanted = protocols.filter(
  ({ name }) =>
    (program.args.length === 0 || program.args.some((prefix) => name.startsWith(prefix))) &&
    !done.some((r) => r.name === name),
);
if (!options.table && wanted.length > 0) {
  const engine = await Engine.create();
  process.stderr.write(`${engine.adapterDescription}: ${wanted.length} runs\n`);
  await mkdir(dirname(options.results), { recursive: true });
  for (const protocol of wanted) {
    const result = await run(engine, protocol);
    await appendFile(options.results, `${JSON.stringify(result)}\n`);
    done.push(result);
  }
  await engine.destroy();
}
console.log(accuracyTable(done));
process.exit(0);
