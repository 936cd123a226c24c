/**
 * The ablation behind the defaults of dense distillation. Goes on where it was stopped.
 *
 *   npm run -s ablation                      every scenario, pool, weighting, temperature and λ, three seeds each
 *   npm run -s ablation -- glyphs-10x10      what begins with this
 */
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/whole-number.ts';
import { ablationRuns } from './ablation-design.ts';
import { ablationTables } from './ablation-table.ts';
import { readResults, runMissing } from './experiment.ts';

const program = new Command('ablation')
  .description('Ablation of dense distillation: runs what is not in the results yet, then prints the tables.')
  .argument('[prefix...]', 'runs that begin with this, for example glyphs-20x5/dense')
  .option('--seeds <n>', 'seeds of each setting', wholeNumber, 3)
  .option('--results <file>', 'where results are added', 'bench/results/ablation.jsonl')
  .option('--list', 'only print the names of the runs')
  .option('--table', 'only print the tables of what is there')
  .parse();
const options = program.opts<{ seeds: number; results: string; list?: boolean; table?: boolean }>();
const runs = ablationRuns(options.seeds).filter(
  ({ name }) => program.args.length === 0 || program.args.some((prefix) => name.startsWith(prefix)),
);
if (options.list) for (const { name } of runs) console.log(name);
else {
  if (!options.table) await runMissing(runs, options.results);
  console.log(ablationTables(await readResults(options.results)));
}
process.exit(0);
