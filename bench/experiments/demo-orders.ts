/**
 * The runs behind the demo's settings, and the spread by which it judges chance. Goes on where it was stopped.
 *
 *   npm run -s demo-orders                   every size and method in eight class orders
 *   npm run -s demo-orders -- small/fdkd     what begins with this
 *   npm run -s demo-orders -- --table --chart bench/results/demo.svg    the README's picture, from what was recorded
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { demoConfig, demoMethods, demoSizeNames } from '../../src/cli/demo/sizes.ts';
import { wholeNumber } from '../../src/cli/whole-number.ts';
import { demoChart } from './demo-chart.ts';
import { demoTables } from './demo-table.ts';
import { type Run, readResults, runMissing } from './experiment.ts';

const program = new Command('demo-orders')
  .description("The demo's sizes in several class orders: runs what is not in the results yet, then prints the tables.")
  .argument('[prefix...]', 'runs that begin with this, for example medium or small/fdkd')
  .option('--orders <n>', 'class orders', wholeNumber, 8)
  .option('--results <file>', 'where results are added', 'bench/results/demo.jsonl')
  .option('--table', 'only print the tables of what is there')
  .option('--chart <file>', 'draw the mean curves of the medium size as SVG')
  .parse();
const options = program.opts<{ orders: number; results: string; table?: boolean; chart?: string }>();
const runs = demoSizeNames.flatMap((size) =>
  Array.from({ length: options.orders }, (_, order) =>
    demoMethods.map((method): Run => ({ name: `${size}/${method}/${order}`, config: demoConfig(size, method, order) })),
  ).flat(),
);
const wanted = runs.filter(
  ({ name }) => program.args.length === 0 || program.args.some((prefix) => name.startsWith(prefix)),
);
if (!options.table) await runMissing(wanted, options.results);
const results = await readResults(options.results);
if (options.chart) await writeFile(options.chart, demoChart(results, 'medium'));
console.log(demoTables(results));
process.exit(0);
