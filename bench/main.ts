/** `npm run -s bench -- [NAME…]`: times kernels and training steps. Exit code 1 when one fails, 2 on bad arguments. */
import { environmentOptions } from '../src/cli/environment.ts';
import '../src/index.ts';
import { Command, CommanderError, Option } from 'commander';
import { files } from '#files';
import { endWithReader } from '../src/cli/exit.ts';
import { wholeNumber } from '../src/cli/whole-number.ts';
import { silenceDrivers } from '../src/gpu/adapter/driver-chatter-node.ts';
import type { ResNetName } from '../src/nn/resnet.ts';
import { Engine } from '../src/tensor/engine.ts';
import type { BenchCase, TimingOptions, WorkCase } from './bench-case.ts';
import { jsonLine, type Result, tableHead, tableLine } from './bench-line.ts';
import { compared, measureWork } from './bench-measure.ts';
import { withWork } from './bench-timing.ts';
import { type BundleCase, bundleCases, bundleJson, bundleLine, checkBuilt } from './cases/bundle.ts';
import { ceilingCases } from './cases/ceilings.ts';
import { conv2dCases } from './cases/conv2d.ts';
import { distillCases } from './cases/distill.ts';
import { dkdCases } from './cases/dkd.ts';
import { embeddingCases } from './cases/embedding.ts';
import { FIRST_STEP_FLAG, firstStepCases, takeFirstStep } from './cases/first-step.ts';
import { kernelCases } from './cases/kernels.ts';
import { layerCases } from './cases/layers.ts';
import { type MemoryCase, memoryCases, memoryJson, memoryLine } from './cases/memory.ts';
import { methodCases } from './cases/methods.ts';
import { profile, profileText } from './cases/profile.ts';
import { scalingCases } from './cases/scaling.ts';
import { streamCases } from './cases/stream.ts';
import { sweepCases } from './cases/sweep.ts';
import { trainCases } from './cases/train.ts';
import { dkdChart } from './dkd-chart.ts';
import { PEER_FLAG, runPeer } from './peers/peer-process.ts';
import { peerCases } from './peers/peers.ts';

silenceDrivers();
endWithReader();

type Case = BenchCase | MemoryCase | BundleCase;

const CASES: readonly Case[] = [
  ...ceilingCases,
  ...kernelCases,
  ...layerCases,
  ...conv2dCases,
  ...dkdCases,
  ...distillCases,
  ...trainCases,
  ...embeddingCases,
  ...memoryCases,
  ...bundleCases,
  ...firstStepCases,
  ...scalingCases,
  ...methodCases,
  ...sweepCases,
  ...streamCases,
  ...peerCases,
];
const PROFILED = 'train-step/resnet8';

interface Options {
  json?: boolean;
  list?: boolean;
  runs?: number;
  profile?: boolean;
  chart?: string;
  firstStepOf?: ResNetName;
  peerOf?: string;
}

const program = new Command('bench')
  .description(
    'Times kernels and training steps, and weighs their memory and the package. Without a name: all but the peers, the scaling and the methods.',
  )
  .argument('[name...]', 'benchmarks whose names begin with this, for example conv2d/forward or train-step')
  .option(
    '--json',
    'one JSON object a line: name, ms (median), min, p90, cpu, runs, rates, launches, javascript and handover of a step, adapter, date',
  )
  .option('--list', 'only print the names')
  .option('--runs <n>', 'samples of each benchmark; by default as many as fit into 0.8 s', wholeNumber)
  .option('--chart <file>', 'also draw what the dkd benchmarks cost against their number of groups, as SVG')
  .option('--profile', `the time of every kernel instead; ${PROFILED} by default`)
  .addOption(new Option(`${FIRST_STEP_FLAG} <model>`).hideHelp())
  .addOption(new Option(`${PEER_FLAG} <task>`).hideHelp())
  .exitOverride();

/** The cases a name is a prefix of, and those they are compared with. Exits with 2 for a name that begins none. */
function chosen(names: readonly string[], { list }: Options): Case[] {
  const unknown = names.filter((name) => !CASES.some((c) => c.name.startsWith(name)));
  if (unknown.length > 0) {
    const known = CASES.map((c) => `  ${c.name}`).join('\n');
    console.error(`bench: no benchmark begins with ${unknown.map((n) => `'${n}'`).join(', ')}. There are:\n${known}`);
    process.exit(2);
  }
  const wanted = CASES.filter((c) =>
    names.length > 0 ? names.some((name) => c.name.startsWith(name)) : list || !('onlyNamed' in c),
  );
  const bases = new Set(wanted.map((c) => ('versus' in c ? c.versus : undefined)));
  return CASES.filter((c) => wanted.includes(c) || bases.has(c.name));
}

/** Those the device can run; says which are left out. */
function possible<C extends Case>(engine: Engine, cases: readonly C[]): C[] {
  return cases.filter((c) => {
    const missing = 'needs' in c && c.needs !== undefined && !engine.device.features.has(c.needs) ? c.needs : null;
    if (missing) console.error(`${c.name}: left out, ${engine.adapterDescription} has no ${missing}.`);
    return !missing;
  });
}

async function measure(engine: Engine, bench: BenchCase, options: TimingOptions): Promise<Result> {
  if ('measure' in bench) return { name: bench.name, ...(await bench.measure(options)) };
  return measureWork(engine, bench, options);
}

async function printTimings(engine: Engine, cases: readonly BenchCase[], options: Options): Promise<number> {
  const { json, runs, chart } = options;
  const width = Math.max(...cases.map((c) => c.name.length)) + 1;
  if (!json) console.log(`${engine.adapterDescription}\n${tableHead(width)}`);
  const results = new Map<string, Result>();
  for (const bench of cases) {
    try {
      const result = await measure(engine, bench, runs === undefined ? {} : { samples: runs });
      const told = compared(result, bench, results);
      results.set(bench.name, told);
      console.log(json ? jsonLine(told, engine.adapterDescription) : tableLine(told, width));
    } catch (error) {
      console.error(`${bench.name}: ${(error as Error).message}`);
    }
  }
  if (chart) await files.write(chart, dkdChart([...results.values()], engine.adapterDescription));
  const wrong = [...results.values()].filter(({ differs }) => differs !== undefined);
  return cases.length - results.size + wrong.length;
}

async function printMemory(engine: Engine, cases: readonly MemoryCase[], { json }: Options): Promise<void> {
  const width = Math.max(...cases.map((c) => c.name.length));
  for (const { name, weigh } of cases) {
    const result = await weigh(engine);
    console.log(json ? memoryJson(name, result, engine.adapterDescription) : memoryLine(name, result, width));
  }
}

/** The number of those that cannot be bundled. */
async function printBundles(cases: readonly BundleCase[], { json }: Options): Promise<number> {
  const width = Math.max(...cases.map((c) => c.name.length));
  let failed = 0;
  for (const { name, bundle } of cases) {
    try {
      const result = await bundle();
      console.log(json ? bundleJson(name, result) : bundleLine(name, result, width));
    } catch (error) {
      failed++;
      console.error(`${name}: ${(error as Error).message}`);
    }
  }
  return failed;
}

async function printProfiles(engine: Engine, cases: readonly WorkCase[], { json }: Options): Promise<void> {
  for (const bench of cases) {
    const result = await withWork(engine, bench, (work) => profile(engine, work));
    if (json) for (const launch of result.launches) console.log(JSON.stringify({ name: bench.name, ...launch }));
    else console.log(`${bench.name} on ${engine.adapterDescription}\n${profileText(result)}\n`);
  }
}

async function main(): Promise<number> {
  const options = program.parse().opts<Options>();
  if (options.firstStepOf) {
    await takeFirstStep(options.firstStepOf);
    return 0;
  }
  if (options.peerOf) {
    await runPeer(options.peerOf);
    return 0;
  }
  const wanted = chosen(options.profile && program.args.length === 0 ? [PROFILED] : program.args, options);
  if (options.list) {
    for (const { name } of wanted) console.log(name);
    return 0;
  }
  const bundles = wanted.filter((c) => 'bundle' in c);
  const onDevice = wanted.filter((c): c is BenchCase | MemoryCase => !('bundle' in c));
  if (bundles.length > 0 && !options.profile) checkBuilt();
  let failed = 0;
  if (onDevice.length > 0) failed += await runOnDevice(onDevice, options);
  if (!options.profile) failed += await printBundles(bundles, options);
  return failed > 0 ? 1 : 0;
}

/** The number of cases that failed. */
async function runOnDevice(wanted: readonly (BenchCase | MemoryCase)[], options: Options): Promise<number> {
  const engine = await Engine.create(environmentOptions());
  const cases = possible(engine, wanted);
  let failed = 0;
  if (options.profile) {
    const timed = cases.filter((c): c is WorkCase => 'prepare' in c);
    await printProfiles(engine, timed, options);
  } else {
    const timed = cases.filter((c): c is BenchCase => !('weigh' in c));
    if (timed.length > 0) failed = await printTimings(engine, timed, options);
    await printMemory(
      engine,
      cases.filter((c) => 'weigh' in c),
      options,
    );
  }
  await engine.destroy();
  return failed;
}

try {
  process.exit(await main());
} catch (error) {
  // Help asked for is not an error; commander has said what was wrong with the arguments.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
}
