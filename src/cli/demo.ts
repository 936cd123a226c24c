/** `engram demo`, which `npm start` runs: does distilling old knowledge keep more of it than replaying exemplars alone? */
import picocolors from 'picocolors';
import { files } from '#files';
import { type ConfigInput, parseConfig } from '../continual/config.ts';
import { methods } from '../continual/methods.ts';
import { joinPath } from '../data/files.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { reportPage } from '../report/page.ts';
import type { RunRecord } from '../report/run-record.ts';
import { deviation, mean } from '../report/statistics.ts';
import { summaryTable } from '../report/table.ts';
import { learn } from './learn.ts';
import { assertUnused, RunFolder, unusedName } from './run-folder.ts';
import { withEngine } from './with-engine.ts';

/** Small enough for SwiftShader, the slowest adapter there is, on two cores. */
const settings = {
  data: 'fashion-mini',
  tasks: 5,
  trainPerClass: 40,
  testPerClass: 40,
  memory: 80,
  model: 'resnet8',
  width: 8,
  epochs: 6,
  batch: 20,
  lr: 0.05,
} as const satisfies ConfigInput;

const compared = ['replay', 'fdkd'] as const;

/**
 * Trains with each method under the same settings, in several orders of the classes, then says which kept more.
 * @throws ConfigError when `out` is taken.
 */
export async function demo({ out, orders }: { out?: string; orders: number }): Promise<void> {
  const path = out ?? (await unusedName('runs/demo'));
  await assertUnused(path);
  const split = await loadDataset(settings.data);
  const times = orders === 1 ? 'in one order' : `in ${orders} orders`;
  console.log(
    picocolors.bold(
      `Learns ${split.train.classes} classes of ${settings.data} in ${settings.tasks} tasks, ${times}, by two methods.`,
    ),
  );
  for (const method of compared) console.log(`${picocolors.bold(method)}: ${methods[method].summary}`);
  const records = await withEngine(async (engine) => {
    const done: RunRecord[] = [];
    for (let order = 0; order < orders; order++) {
      for (const method of compared) {
        console.log(`\n${picocolors.bold(method)}, order ${order + 1} of ${orders}`);
        const config = parseConfig({ ...settings, method, seed: order, classSeed: order }, 'demo');
        const folder = joinPath(path, `${method}-${order + 1}`);
        done.push(await learn(engine, split, config, (complete) => RunFolder.create(folder, complete)));
      }
    }
    return done;
  });
  const page = joinPath(path, 'report.html');
  await files.write(page, reportPage(records, 'Engram: replay against dense knowledge distillation'));
  console.log(`\n${summaryTable(records)}\n${verdict(records)}\nreport    ${page}`);
}

/**
 * Which method knows more of all classes in the end, and how much of its earlier tasks each one lost, over the orders.
 * Orders differ by more than methods do, hence the difference within each; its mean is told from chance from two
 * standard errors on.
 */
export function verdict(records: readonly RunRecord[]): string {
  const figures = (method: string, of: 'last' | 'forgetting') =>
    records.filter((record) => record.method === method).map((record) => record[of]);
  const means = (of: 'last' | 'forgetting', unit: string) =>
    compared.map((method) => `${method} ${mean(figures(method, of)).toFixed(1)} ${unit}`).join(', ');
  const [base, other] = compared;
  const before = figures(base, 'last');
  const gains = figures(other, 'last').map((last, order) => last - (before[order] as number));
  const gain = mean(gains);
  const error = deviation(gains) / Math.sqrt(gains.length);
  const chance = Math.abs(gain) < 2 * error ? ', but within chance' : '';
  const kept = Math.abs(gain) < 0.05 ? 'Both kept the same' : `${gain > 0 ? other : base} kept more${chance}`;
  const headline = `${kept}: in the end ${means('last', '%')} of all classes.`;
  const signed = (value: number) => `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
  const caution =
    gains.length > 1
      ? `${other} − ${base}, order by order: ${gains.map(signed).join(', ')}; mean ${signed(gain)} ± ${error.toFixed(1)} (standard error).`
      : 'One order says little: orders differ by more than methods do.';
  return `${picocolors.bold(picocolors.green(headline))} Forgotten on the way: ${means('forgetting', 'points')}.\n${picocolors.dim(caution)}`;
}
