/** `npm run -s bench -- [NAME…]`: times kernels and training steps. Exit code 1 when one fails, 2 on bad arguments. */
import '../src/index.ts';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Engine } from '../src/gpu/engine.ts';
import type { ResNetName } from '../src/nn/resnet.ts';
import type { BenchCase, Cost, Timing, TimingOptions, WorkCase } from './bench-case.ts';
import { conv2dCases } from './bench-conv2d.ts';
import { distillCases } from './bench-distill.ts';
import { FIRST_STEP_FLAG, firstStepCase, takeFirstStep } from './bench-first-step.ts';
import { kernelCases } from './bench-kernels.ts';
import { profile, profileText } from './bench-profile.ts';
import { time, withWork } from './bench-timing.ts';
import { trainCases } from './bench-train.ts';

const CASES: readonly BenchCase[] = [...kernelCases, ...conv2dCases, ...distillCases, ...trainCases, firstStepCase];
const PROFILED = 'train-step/resnet8';

interface Options {
  json?: boolean;
  list?: boolean;
  runs?: number;
  profile?: boolean;
  firstStepOf?: ResNetName;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('A whole number of at least 1 was expected.');
}

const program = new Command('bench')
  .description('Times kernels and training steps. Without a name: all of them.')
  .argument('[name...]', 'benchmarks whose names begin with this, for example conv2d/forward or train-step')
  .option('--json', 'one JSON object a line: name, ms (median), min, p90, cpu, runs, gflops or gbs, adapter, date')
  .option('--list', 'only print the names')
  .option('--runs <n>', 'samples of each benchmark; as many as fit into 0.8 s unless given', wholeNumber)
  .option('--profile', `the time of every kernel instead; of ${PROFILED} unless named`)
  .addOption(new Option(`${FIRST_STEP_FLAG} <model>`).hideHelp())
  .exitOverride();

/** The cases a name is a prefix of. Exits with 2 for a name that begins none. */
function chosen(names: readonly string[]): BenchCase[] {
  const unknown = names.filter((name) => !CASES.some((c) => c.name.startsWith(name)));
  if (unknown.length > 0) {
    const known = CASES.map((c) => `  ${c.name}`).join('\n');
    console.error(`bench: no benchmark begins with ${unknown.map((n) => `'${n}'`).join(', ')}. There are:\n${known}`);
    process.exit(2);
  }
  return CASES.filter((c) => names.length === 0 || names.some((name) => c.name.startsWith(name)));
}

const rate = (amount: number | undefined, ms: number) => (amount === undefined ? undefined : amount / ms / 1e6);
const rounded = (value: number) => Number(value.toPrecision(4));

function jsonLine(name: string, timing: Timing, cost: Cost, adapter: string): string {
  const { ms, min, p90, cpu, runs } = timing;
  const gflops = rate(cost.flops, ms);
  const gbs = rate(cost.bytes, ms);
  return JSON.stringify({
    name,
    ...{ ms: rounded(ms), min: rounded(min), p90: rounded(p90), cpu: rounded(cpu), runs },
    ...(gflops === undefined ? {} : { gflops: rounded(gflops) }),
    ...(gbs === undefined ? {} : { gbs: rounded(gbs) }),
    adapter,
    date: new Date().toISOString().slice(0, 10),
  });
}

const column = (value: number) => value.toFixed(value < 10 ? 3 : 1).padStart(9);

function tableLine(name: string, width: number, { ms, min, p90, cpu, runs }: Timing, cost: Cost): string {
  const gflops = rate(cost.flops, ms);
  const gbs = rate(cost.bytes, ms);
  const speed = gflops !== undefined ? `${column(gflops)} GFLOP/s` : gbs !== undefined ? `${column(gbs)} GB/s` : '';
  return `${name.padEnd(width)}${[ms, min, p90, cpu].map(column).join('')} ${String(runs).padStart(6)} ${speed}`;
}

async function measure(engine: Engine, bench: BenchCase, options: TimingOptions): Promise<[Timing, Cost]> {
  if ('measure' in bench) return [await bench.measure(options), {}];
  return withWork(engine, bench, async (work) => [await time(engine, work, options), work]);
}

async function printTimings(engine: Engine, cases: readonly BenchCase[], { json, runs }: Options): Promise<number> {
  const width = Math.max(...cases.map((c) => c.name.length)) + 1;
  const head = ['ms', 'min', 'p90', 'cpu ms'].map((title) => title.padStart(9)).join('');
  if (!json) console.log(`${engine.adapterDescription}\n${'benchmark'.padEnd(width)}${head}   runs`);
  let failed = 0;
  for (const bench of cases) {
    try {
      const [timing, cost] = await measure(engine, bench, runs === undefined ? {} : { samples: runs });
      console.log(
        json
          ? jsonLine(bench.name, timing, cost, engine.adapterDescription)
          : tableLine(bench.name, width, timing, cost),
      );
    } catch (error) {
      failed++;
      console.error(`${bench.name}: ${(error as Error).message}`);
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
  const cases = chosen(options.profile && program.args.length === 0 ? [PROFILED] : program.args);
  if (options.list) {
    for (const { name } of cases) console.log(name);
    return 0;
  }
  const engine = await Engine.create();
  let failed = 0;
  if (options.profile) {
    const timed = cases.filter((c): c is WorkCase => 'prepare' in c);
    await printProfiles(engine, timed, options);
  } else {
    failed = await printTimings(engine, cases, options);
  }
  await engine.destroy();
  return failed > 0 ? 1 : 0;
}

try {
  process.exit(await main());
} catch (error) {
  // Help asked for is no error; commander has said what was wrong with the arguments.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  console.error(`bench: ${(error as Error).message}`);
  process.exit(1);
}
