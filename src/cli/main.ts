#!/usr/bin/env node
/**
 * The command `engram`. What a command needs is loaded only when it runs, so that `--help` and mistyped flags answer at
 * once. Every way out ends with an explicit exit: Dawn's object must live until then.
 */
import { Command, CommanderError, Option } from 'commander';
import { version } from '../../package.json';
import { methods } from '../continual/methods/index.ts';
import { silenceDrivers } from '../gpu/adapter/driver-chatter-node.ts';
import { USUAL_LIMIT } from '../sweep/plan.ts';
import type { AnalyseCommand } from './analyse.ts';
import { ANALYSES, analysisNames } from './analysis-names.ts';
import { columnsOf } from './columns.ts';
import { addConfigFlags, addDataFlags, dataFlagsGiven, flagsGiven } from './config-flags.ts';
import type { DataCommand } from './data.ts';
import type { DemoOptions } from './demo/demo.ts';
import { demoSizeNames } from './demo/sizes.ts';
import { addDistillFlags, type DistillOptions, studentSettings } from './distill/options.ts';
import { endWithReader, exit, fail } from './exit.ts';
import type { RunExportOptions } from './export-run.ts';
import { chosenMethod } from './method-choice.ts';
import type { MethodFile } from './method-file.ts';
import { methodLine, methodList, methodTable, verifiedNote } from './method-list.ts';
import type { ProfileOptions } from './profile.ts';
import type { RecipesOptions } from './recipe-list.ts';
import { addStepFlags } from './step-flags.ts';
import type { SweepOptions } from './sweep.ts';
import type { TuneCommand } from './tune.ts';
import { wholeNumber, wholeNumberOrZero } from './whole-number.ts';
import type { WorkerOptions } from './worker.ts';

interface TrainFlags {
  config?: string;
  set?: string[];
  out?: string;
  resume?: boolean;
  saveEvery: number;
  keepStages?: boolean;
  tensorboard?: boolean;
}

silenceDrivers();
const program = new Command('engram')
  .description('Trains image classifiers task by task on WebGPU, and keeps what they learnt.')
  .version(version)
  .option('--debug', 'show the stack of unexpected errors (also: the environment variable DEBUG)')
  .addHelpText(
    'after',
    '\nThe environment variable ENGRAM_ADAPTER chooses the adapter: auto, hardware, software or swiftshader.' +
      '\nNO_COLOR switches colours off.',
  )
  .exitOverride()
  // Mistakes become errors like any other: one paragraph in red.
  .configureOutput({ outputError: () => {} });

const train = program
  .command('train')
  .description('learn a data set task by task, in a folder of its own')
  .optionsGroup('Run:')
  .option(
    '--config <file>',
    'settings as JSON: a published recipe by its name (`engram recipes`), a file of your own, the config.json of another run',
  )
  .option(
    '--set <key=value>',
    'a setting by its name, in place of its flag: --set memory=1000; as often as you like. What is typed goes before --config',
    (text: string, before: string[] = []) => [...before, text],
  )
  .option('--out <folder>', "the run's folder; an unused name under runs/ by default")
  .option('--resume', 'go on with the run in --out where it was saved last; --data says where its data lie now')
  .option(
    '--save-every <epochs>',
    'epochs after which the state within a task is saved; 0 for after tasks only',
    wholeNumberOrZero,
    1,
  )
  .option(
    '--keep-stages',
    'keep the weights after each task, stage-N.safetensors: what `engram analyse` tells drift and stability by',
  )
  .option('--tensorboard', "write TensorBoard's events while it learns, into tensorboard in the run's folder")
  .action(async (options: TrainFlags) => {
    const { train: run } = await import('./train.ts');
    await run({ ...options, flags: flagsGiven(train, own?.method), own });
  });

/** Of one's own, where one is asked for. */
let own: MethodFile | undefined;

function addMethods(): void {
  const list = [...(own ? [own.method] : []), ...Object.values(methods)];
  train.addHelpText(
    'after',
    () =>
      `\nMethods:\n${methodList(list, columnsOf())}\n\n${verifiedNote(columnsOf())}\n\n` +
      'One of your own is a file that exports it, an ES module: --method ./mine.js\n' +
      '(from Node 22.18 on ./mine.ts too). Its settings are flags as well. Wherever it\n' +
      'lies, its imports of "engram" are this very package: those of another copy would\n' +
      'be another engine.',
  );
  addConfigFlags(train, own?.method);
}

const data = program
  .command('data')
  .description(
    'what a data set holds: classes, counts, sizes, colours, images in both parts; a page with pictures of each class',
  )
  .argument('<data>', 'fashion-mini or glyphs (bundled), a folder, or a .npz or .parquet file')
  .option('--html <file>', 'write a page with pictures of each class')
  .option('--json', 'one JSON object instead')
  .action(async (name: string, options: DataCommand) =>
    (await import('./data.ts')).data(name, dataFlagsGiven(data), options, columnsOf()),
  );
addDataFlags(data);

program
  .command('methods')
  .description('list the methods: what each does, where it is from, and what its results were compared with')
  .option('--json', 'one JSON object a method, a line each')
  .action(({ json }: { json?: boolean }) => {
    const all = Object.values(methods);
    console.log(json ? all.map(methodLine).join('\n') : methodTable(all, columnsOf()));
  });

program
  .command('recipes')
  .description('list the published recipes, which `engram train --config NAME` takes')
  .option('--json', 'one JSON object a recipe, a line each')
  .option('--schema', 'the JSON Schema of recipes instead, by which editors complete and check them')
  .action(async (options: RecipesOptions) => (await import('./recipe-list.ts')).recipes(options, columnsOf()));

program
  .command('demo')
  .description('what is forgotten, and what keeps it: three methods on bundled images, minutes on a CPU')
  .option('--out <folder>', 'where the runs and their page go; an unused name under runs/ by default')
  .addOption(
    new Option('--size <name>', "how much is learnt; chosen by the adapter's speed by default").choices(demoSizeNames),
  )
  .option('--orders <n>', 'orders of the classes to compare in', wholeNumber, 1)
  .action(async (options: DemoOptions) => (await import('./demo/demo.ts')).demo(options));

program
  .command('sweep')
  .description('many runs from one file: every combination of settings, or draws of them, in several class orders')
  .usage('[file] [options]')
  .argument(
    '[file]',
    'the sweep as JSON, before the options, such as {"settings": {"data": "glyphs"}, "parameters": {"method": ["kd", "fdkd"]}, "orders": [0, 1]}',
  )
  .option('--out <folder>', "the sweep's folder; runs/NAME by default. What is done there is not run again")
  .option('--results <file>', "where results go, a line a run; results.jsonl in the sweep's folder by default")
  .option('--jobs <n>', 'runs at once on this machine', wholeNumber, 1)
  .option(
    '--save-every <epochs>',
    "epochs after which a run's state is saved; 0 for after tasks only",
    wholeNumberOrZero,
    1,
  )
  .option('--keep-stages', "keep each run's model after each task too, for `engram analyse`")
  .option('--retries <n>', 'tries after one that crashed', wholeNumberOrZero, 2)
  .option(
    '--only <configuration...>',
    'of all configurations these, as the table and --list call them; the others are left for later',
  )
  .option('--limit <n>', 'runs that a sweep may have', wholeNumber, USUAL_LIMIT)
  .option(
    '--queue <url>',
    'let the workers of a queue learn the runs, such as redis://localhost:6379; see `engram worker`',
  )
  .option('--list', 'only list the runs')
  .option('--table', 'only make the table of what is done')
  .option('--markdown', 'the table as Markdown')
  .option('--schema', 'the JSON Schema of sweeps instead, by which editors complete and check them')
  .action(async (file: string | undefined, options: SweepOptions) => (await import('./sweep.ts')).sweep(file, options));

program
  .command('worker')
  .description('learn runs of sweeps from a queue, on as many machines as there are')
  .requiredOption('--queue <url>', 'a Redis or Valkey server, such as redis://localhost:6379')
  .option('--folder <folder>', 'where the runs have their folders', 'runs/worker')
  .option('--jobs <n>', 'runs at once on this machine', wholeNumber, 1)
  .option(
    '--patience <seconds>',
    'without a sign of life for so long, a worker counts as gone and others take its runs over; the same for all workers',
    wholeNumber,
    90,
  )
  .option('--losses <n>', 'times that a run may be taken over before it counts as failed', wholeNumberOrZero, 5)
  .action(async (options: WorkerOptions) => (await import('./worker.ts')).worker(options));

program
  .command('queue')
  .description('look at a queue, or do something with all that is on it')
  .argument('[action]', 'status, pause, resume, cancel or clear', 'status')
  .argument('[sweep]', 'the name of the sweep to cancel')
  .requiredOption('--queue <url>', 'a Redis or Valkey server, such as redis://localhost:6379')
  .action(async (action: string, sweep: string | undefined, { queue }: { queue: string }) =>
    (await import('./queue.ts')).queue(queue, action, sweep),
  );

program
  .command('sweep-run', { hidden: true })
  .description('the process of one run of a sweep')
  .action(async () => (await import('./sweep-run.ts')).sweepRun());

const distill = addDistillFlags(
  program
    .command('distill')
    .description("compress a run's network into a small one, and compare losses: dense, usual, decoupled, none"),
).action(async (options: DistillOptions) =>
  (await import('./distill/distill.ts')).distill({ ...options, settings: studentSettings(distill) }),
);

program
  .command('report')
  .description('make one page from one run or several')
  .argument('<run...>', 'folders of runs, or of a sweep: its finished runs')
  .option('--out <file>', "the page; report.html in the run's folder, or beside the first of several")
  .action(async (folders: string[], options: { out?: string }) =>
    (await import('./report.ts')).report(folders, options),
  );

program
  .command('show')
  .description('what a run came to, in the terminal; several runs side by side')
  .argument('<run...>', 'folders of runs, finished or not, or of a sweep')
  .option('--json', 'their records instead, one JSON object a run, a line each')
  .addHelpText(
    'after',
    '\nInto a pipe or a file tables are as wide as they are; COLUMNS says how many\ncharacters a line may have there.',
  )
  .action(async (folders: string[], options: { json?: boolean }) => (await import('./show.ts')).show(folders, options));

program
  .command('export')
  .description(
    "a run's network for other programs, weights under PyTorch's names or an ONNX graph, with its classes and how images are prepared; its records as tables and for TensorBoard",
  )
  .usage('<run...> [options]')
  .argument('<run...>', "folders of runs, before the options; for a network one alone, or a learner's file")
  .option(
    '--safetensors [file]',
    "weights that PyTorch's load_state_dict takes; model.safetensors beside the run's by default",
  )
  .option(
    '--onnx [file]',
    'what it predicts by, from the bytes of images to the names of classes; model.onnx there by default',
  )
  .option('--method <file>', 'for --onnx: where a method of your own lies now, if not where the run found it')
  .option(
    '--csv [folder]',
    "tables of all runs together, by epoch, task, class and run; csv in the run's folder, or beside the first of several, by default",
  )
  .option(
    '--tensorboard [folder]',
    "event files, a folder in this one for each run; tensorboard in each run's own folder by default",
  )
  .action(async (paths: string[], options: RunExportOptions) =>
    (await import('./export-run.ts')).exportRun(paths, options),
  );

program
  .command('analyse')
  .description('what the models of runs are like beyond accuracy: flatness, drift, stability, calibration')
  .argument('<run...>', 'folders of runs or sweeps; runs that differ by seed and order alone are taken together')
  .option('--only <names>', `what is measured: ${ANALYSES.join(',')}; all by default`, analysisNames)
  .option('--images <n>', 'training images that are looked at, drawn from all classes seen', wholeNumber, 1024)
  .option('--seed <n>', 'of the choice of images, and of what is random in the measures', wholeNumberOrZero, 0)
  .option('--data <folder>', 'where the data lie now, if not where the runs found them')
  .option('--method <file>', 'where a method of your own lies now, if not where the runs found it')
  .option('--out <file>', "the page; analysis.html in the run's folder, or beside the first of several")
  .option('--json', 'one JSON object a run, a line each')
  .action(async (folders: string[], options: AnalyseCommand) =>
    (await import('./analyse.ts')).analyse(folders, options),
  );

addStepFlags(program.command('profile').description("where a training step's time goes, kernel by kernel"))
  .option('--steps <n>', 'steps measured; medians are reported', wholeNumber, 5)
  .option('--trace <file>', "also write the steps in Chrome's trace format, for ui.perfetto.dev")
  .option('--json', 'one JSON object a kernel, and one of the whole step, a line each')
  .action(async (options: ProfileOptions) => (await import('./profile.ts')).profile(options));

addStepFlags(
  program
    .command('tune')
    .description("measure on this adapter which variants of a training step's kernels are fastest"),
)
  .option('--budget <ms>', 'time for measuring, about; as long as it takes by default', wholeNumber)
  .option('--force', 'measure also what is in the cache')
  .option('--json', 'one JSON object a piece of work, and one of the whole step, a line each')
  .action(async (options: TuneCommand) => (await import('./tune.ts')).tune(options));

process.on('unhandledRejection', fail);
endWithReader();

try {
  own = await chosenMethod(process.argv.slice(2));
  addMethods();
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, '--help']);
  exit(0);
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) exit(0);
  else fail(error);
}
