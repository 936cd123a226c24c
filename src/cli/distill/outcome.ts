/** What a compression came to: tables, a page, and which student was kept. */
import { accuracyOf, type Compression } from '../../continual/compression/compression.ts';
import { countWeights } from '../../continual/compression/size.ts';
import { imagesPerSecond } from '../../continual/compression/speed.ts';
import type { IncrementalModel } from '../../continual/method.ts';
import { printable } from '../../gpu/printable.ts';
import { flopsPerImage } from '../../nn/flops.ts';
import { compressionPage } from '../../report/compression-page.ts';
import { compareLosses, compareWeights, edgeNotes } from '../../report/compression-results.ts';
import {
  type CompressionReport,
  lossTable,
  type NetworkCost,
  networkTable,
  weightTable,
} from '../../report/compression-tables.ts';
import { PAGE, STUDENT } from './folder.ts';
import type { DistillOptions } from './options.ts';
import { comparedResults } from './same-comparison.ts';
import type { Lot, Work } from './students.ts';
import type { ChosenWeights } from './weights.ts';

/** Measures both networks, and tells of the students that were asked for, beside those that the folder has of the same comparison. */
export async function tellOutcome(
  work: Work,
  { students, compression }: Pick<Lot, 'students' | 'compression'>,
  { tried: chosen }: ChosenWeights,
  { teacher: run, markdown = false }: DistillOptions,
): Promise<void> {
  const { folder } = work;
  const results = comparedResults(students, folder.results.all);
  const others = folder.trials.all.filter(({ loss }) => !chosen.some((one) => one.loss === loss));
  const tried = [...chosen, ...compareWeights(others)];
  const report: CompressionReport = {
    losses: compareLosses(results),
    tried,
    ...(await figuresOf(work, compression, run)),
  };
  await folder.savePage(compressionPage(report));
  const tables = [weightTable, lossTable, networkTable].map((table) => table(report, { markdown })).filter(Boolean);
  console.log(`\n${tables.join('\n\n')}\n`);
  const edges = edgeNotes(chosen);
  for (const note of edges) console.log(note);
  const best = folder.results.all.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const said = (await folder.hasStudent()) ? `: ${best.loss}, seed ${best.seed}, ${best.accuracy} %` : ' is missing';
  console.log(`student   ${printable(folder.path)}/${STUDENT}${said}`);
  console.log(`report    ${printable(folder.path)}/${PAGE}`);
}

async function figuresOf(
  { engine, teacher, folder }: Work,
  compression: Compression,
  run: string,
): Promise<Omit<CompressionReport, 'losses' | 'tried'>> {
  const { format, model, train, test, config } = teacher;
  const { settings } = compression;
  const costOf = async (name: string, network: IncrementalModel): Promise<NetworkCost> => ({
    name,
    ...countWeights(network),
    flops: flopsPerImage(network, format),
    imagesPerSecond: await imagesPerSecond(network, format),
  });
  // What it weighs and how fast it is does not depend on what it learnt.
  const student = compression.newStudent();
  try {
    return {
      teacher: await costOf(`teacher (${config.model}, ${config.method})`, model),
      student: await costOf(`student (${settings.model})`, student),
      teacherAccuracy: await accuracyOf(model, test, format),
      about: {
        teacher: run,
        data: config.data.replace(/\/+$/, '').split('/').at(-1) ?? '',
        classes: model.classes,
        train: train.images.count,
        test: test.images.count,
        groups: (folder.about.groups ?? []).map((names) => names.length),
        adapter: engine.adapterDescription,
        date: new Date().toISOString().slice(0, 10),
        settings: folder.about.settings,
      },
    };
  } finally {
    student.dispose();
  }
}
