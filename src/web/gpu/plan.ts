/** What is measured on which kind of adapter: a GPU takes all in a minute, a CPU that stands in for one a few small things. */
import type { TimingOptions, WorkCase } from '../../../bench/bench-case.ts';
import { conv2dCases } from '../../../bench/cases/conv2d.ts';
import { distillCases } from '../../../bench/cases/distill.ts';
import { dkdCases } from '../../../bench/cases/dkd.ts';
import { kernelCases } from '../../../bench/cases/kernels.ts';
import { trainCases } from '../../../bench/cases/train.ts';
import type { AdapterKind } from '../../gpu/adapter/adapter.ts';

/** All that can be named. */
const CASES: readonly WorkCase[] = [...kernelCases, ...conv2dCases, ...dkdCases, ...distillCases, ...trainCases];

const PARTS_OF_CONVOLUTION = ['forward', 'input-gradient', 'weight-gradient'];
const convolutions = (...layers: string[]): string[] =>
  layers.flatMap((layer) => PARTS_OF_CONVOLUTION.map((part) => `conv2d/${part}/${layer}`));

const USUAL: Readonly<Record<AdapterKind, readonly string[]>> = {
  hardware: [
    'matmul/256',
    'matmul/512',
    'matmul/1024',
    ...convolutions('32x32x16-16', '16x16x32-64s2', '8x8x64-64', '32x32x64-64', '16x16x128-128'),
    ...['whole', 'tasks', 'random', 'dense'].map((pool) => `dkd/${pool}/9x10`),
    'dkd/whole/16x5',
    'dkd/dense/16x5',
    'train-step/resnet20/b32',
    'train-step/resnet20/b32/eager',
    'train-step/resnet20/b32/f16',
  ],
  software: [
    'matmul/256',
    ...convolutions('16x16x32-32'),
    'dkd/whole/9x10',
    'dkd/dense/9x10',
    'train-step/resnet20/b8',
  ],
};

/** Whether a name begins with one of those. */
export const isNamed = (name: string, only: readonly string[]): boolean =>
  only.some((beginning) => name.startsWith(beginning));

/** What a step asks of JavaScript takes sixteen steps more: seconds each where a CPU does the work. */
const withoutStepCost = (bench: WorkCase): WorkCase => ({
  ...bench,
  prepare: (engine) => ({ ...bench.prepare(engine), isStep: false }),
});

/** The benchmarks for an adapter, or those named, with what they are multiples of. */
export function benchmarksFor(kind: AdapterKind, only: readonly string[]): WorkCase[] {
  const wanted = CASES.filter(({ name }) => (only.length > 0 ? isNamed(name, only) : USUAL[kind].includes(name)));
  const bases = new Set(wanted.map(({ versus }) => versus));
  const cases = CASES.filter((bench) => wanted.includes(bench) || bases.has(bench.name));
  return kind === 'software' ? cases.map(withoutStepCost) : cases;
}

export const timingOf = (kind: AdapterKind): TimingOptions => (kind === 'software' ? { samples: 3 } : { budget: 600 });
