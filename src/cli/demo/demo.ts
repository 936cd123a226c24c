/** `engram demo`, which `npm start` runs: what is forgotten, and what keeps it, on the same data in the same order. */
import picocolors from 'picocolors';
import { files } from '#files';
import type { RunRecord } from '../../continual/benchmark/run-record.ts';
import { methods } from '../../continual/methods/index.ts';
import { joinPath } from '../../data/files.ts';
import { loadDataset } from '../../data/load-dataset.ts';
import { compareMethods, comparisonTable } from '../../report/comparison.ts';
import { reportPage } from '../../report/page.ts';
import { wrap } from '../../report/wrap.ts';
import type { Engine } from '../../tensor/engine.ts';
import { learn } from '../learn.ts';
import { remaining } from '../pace.ts';
import { assertUnused, RunFolder, unusedName } from '../run-folder.ts';
import { withEngine } from '../with-engine.ts';
import { demoCharts } from './charts.ts';
import { chooseSize, type Estimate, trainingRate, workOf } from './choice.ts';
import { type DemoSizeName, demoConfig, demoMethods, demoSizeNames, demoSizes } from './sizes.ts';
import { verdict } from './verdict.ts';

export interface DemoOptions {
  out?: string;
  /** Chosen by the adapter's throughput by default. */
  size?: DemoSizeName;
  /** Orders of the classes to compare in. */
  orders: number;
}

/** Seconds that a demo in one order may be expected to take. */
const MOST_SECONDS = 110;

/**
 * Trains with each method under the same settings, in each order of the classes, then shows what was kept.
 * @throws {ConfigError} when `out` is taken.
 */
export async function demo({ out, size: wanted, orders }: DemoOptions): Promise<void> {
  const path = out ?? (await unusedName('runs/demo'));
  await assertUnused(path);
  console.log(picocolors.bold('What does a network forget when it learns task after task, and what keeps it?'));
  for (const method of demoMethods) console.log(`${picocolors.bold(method.padEnd(10))}${methods[method].summary}`);
  const done = await withEngine(async (engine) => {
    const name = wanted ?? (await measuredSize(engine));
    console.log(`${picocolors.dim('learns')}    ${taskText(name)}${orders > 1 ? `, in ${orders} orders` : ''}`);
    return { name, records: await learnAll(engine, name, orders, path) };
  });
  await summarise(done.name, done.records, joinPath(path, 'report.html'));
}

async function learnAll(engine: Engine, name: DemoSizeName, orders: number, path: string): Promise<RunRecord[]> {
  const split = await loadDataset(demoSizes[name].settings.data);
  const records: RunRecord[] = [];
  for (let order = 0; order < orders; order++) {
    for (const method of demoMethods) {
      console.log(`\n${picocolors.bold(method)}${orders > 1 ? `, order ${order + 1} of ${orders}` : ''}`);
      const config = demoConfig(name, method, order);
      const folder = joinPath(path, orders > 1 ? `${method}-${order + 1}` : method);
      records.push(
        await learn(engine, split, config, (complete) => RunFolder.create(folder, complete), { quiet: true }),
      );
    }
  }
  return records;
}

/** Measures the adapter on the smallest size's first steps, says what was found, and chooses. */
async function measuredSize(engine: Engine): Promise<DemoSizeName> {
  const [smallest] = demoSizeNames;
  const { settings } = demoSizes[smallest];
  const rate = await trainingRate(engine, await loadDataset(settings.data), demoConfig(smallest, 'finetune', 0));
  const estimates = await Promise.all(demoSizeNames.map((name) => estimate(name, rate, settings.width)));
  const chosen = chooseSize(estimates, MOST_SECONDS);
  const others = estimates
    .filter(({ name }) => name !== chosen.name)
    .map(({ name, seconds }) => `--size ${name}: ${remaining(seconds)}`);
  console.log(
    `${picocolors.dim('size')}      ${chosen.name}: about ${remaining(chosen.seconds)} at the ${rate.toFixed(0)} images/s measured here (${others.join(', ')})`,
  );
  return chosen.name;
}

async function estimate(name: DemoSizeName, rate: number, width: number): Promise<Estimate<DemoSizeName>> {
  const split = await loadDataset(demoSizes[name].settings.data);
  const works = demoMethods.map((method) => workOf(demoConfig(name, method, 0), split, width));
  return { name, seconds: works.reduce((total, work) => total + work, 0) / rate };
}

function taskText(name: DemoSizeName): string {
  const { data, tasks, baseClasses, memory } = demoConfig(name, 'replay', 0);
  return `${data} in ${tasks} tasks, ${baseClasses} classes in the first; ${memory} exemplars may be kept`;
}

async function summarise(name: DemoSizeName, records: readonly RunRecord[], page: string): Promise<void> {
  const results = compareMethods(records);
  const { headline, details } = verdict(results, records[0]?.classOrder.length ?? 0, demoSizes[name]);
  await files.write(
    page,
    reportPage(records, { title: 'Engram: what is forgotten, and what keeps it', headline, details }),
  );
  const columns = process.stdout.isTTY ? (process.stdout.columns ?? 80) : 80;
  console.log(`\n${demoCharts(results, columns)}\n`);
  for (const line of wrap(headline, columns)) console.log(picocolors.bold(line));
  for (const line of details.flatMap((text) => wrap(text, columns))) console.log(line);
  console.log(`${comparisonTable(results)}\nreport    ${page}`);
}
