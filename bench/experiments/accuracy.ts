/**
 * Reproduces the project's reference accuracies: class-incremental Fashion-MNIST and glyphs under fixed protocols, two
 * class orders each. Goes on where it was stopped.
 *
 *   npm run -s accuracy                      everything (Fashion-MNIST needs Debian's dataset-fashion-mnist or --fashion DIR)
 *   npm run -s accuracy -- glyphs/fdkd       what begins with this
 */
import { Command } from 'commander';
import { protocols } from './accuracy-protocols.ts';
import { accuracyTable } from './accuracy-table.ts';
import { FASHION_FOLDER, readResults, runMissing } from './experiment.ts';

const program = new Command('accuracy')
  .description('Reference accuracies: runs every protocol that is not in the results yet, then prints the table.')
  .argument('[prefix...]', 'protocols that begin with this, for example fashion/kd or glyphs')
  .option('--fashion <dir>', 'folder of the full Fashion-MNIST in IDX format', FASHION_FOLDER)
  .option('--results <file>', 'where results are added', 'bench/results/accuracy.jsonl')
  .option('--table', 'only print the table of what is there')
  .parse();
const options = program.opts<{ fashion: string; results: string; table?: boolean }>();

if (!options.table) {
  const wanted = protocols.filter(
    ({ name }) => program.args.length === 0 || program.args.some((prefix) => name.startsWith(prefix)),
  );
  const runs = wanted.map(({ name, dataset, config }) => ({
    name,
    config: { ...config, data: dataset === 'fashion' ? options.fashion : 'glyphs' },
  }));
  await runMissing(runs, options.results);
}
console.log(accuracyTable(await readResults(options.results)));
process.exit(0);
