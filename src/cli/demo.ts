/** `engram demo`, which `npm start` runs: does distilling old knowledge keep more of it than replaying exemplars alone? */
import picocolors from 'picocolors';
import { files } from '#files';
import { type ConfigInput, parseConfig } from '../continual/config.ts';
import { methods } from '../continual/methods.ts';
import { joinPath } from '../data/files.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { reportPage } from '../report/page.ts';
import type { RunRecord } from '../report/run-record.ts';
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

/** Trains with each method under the same settings, then says which kept more. @throws ConfigError when `out` is taken. */
export async function demo({ out }: { out?: string }): Promise<void> {
  const path = out ?? (await unusedName('runs/demo'));
  await assertUnused(path);
  const split = await loadDataset(settings.data);
  console.log(
    picocolors.bold(`Learns ${split.train.classes} classes of ${settings.data} in ${settings.tasks} tasks, twice.`),
  );
  const records = await withEngine(async (engine) => {
    const done: RunRecord[] = [];
    for (const method of compared) {
      console.log(`\n${picocolors.bold(method)}: ${methods[method].summary}`);
      const config = parseConfig({ ...settings, method }, 'demo');
      done.push(await learn(engine, split, config, () => RunFolder.create(joinPath(path, method), config)));
    }
    return done;
  });
  const page = joinPath(path, 'report.html');
  await files.write(page, reportPage(records, 'Engram: replay against dense knowledge distillation'));
  console.log(
    `\n${summaryTable(records)}\n${verdict(records, split.train.classes * settings.testPerClass)}\nreport    ${page}`,
  );
}

/**
 * Which run knows more of all classes in the end, how much of its earlier tasks each one lost, and how much of the
 * difference `tested` images may have brought about by chance: 1.96 standard errors of a difference of two shares.
 */
export function verdict(records: readonly RunRecord[], tested: number): string {
  const [better, worse] = [...records].sort((a, b) => b.last - a.last) as [RunRecord, RunRecord];
  const points = better.last - worse.last;
  const share = Math.min(99, Math.max(1, (better.last + worse.last) / 2)) / 100;
  const chance = 196 * Math.sqrt((2 * share * (1 - share)) / tested);
  const kept =
    points < 0.05 ? 'Both kept the same' : `${better.name} kept more${points < chance ? ', but within chance' : ''}`;
  const headline = `${kept}: in the end ${better.name} knows ${better.last.toFixed(1)} % of all classes, ${worse.name} ${worse.last.toFixed(1)} %.`;
  const forgot = `Forgotten on the way: ${better.name} ${better.forgetting.toFixed(1)} points, ${worse.name} ${worse.forgetting.toFixed(1)}.`;
  const caution = `One run of each, ${tested} test images: a difference has to be over ${chance.toFixed(1)} points to say anything.`;
  return `${picocolors.bold(picocolors.green(headline))} ${forgot}\n${picocolors.dim(caution)}`;
}
