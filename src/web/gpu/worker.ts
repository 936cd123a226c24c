/** The thread that measures: the page asks, and is told. What must stop is ended with its worker: a kernel that hangs listens to nothing. */
import { DeviceLostError, Engine } from 'engram';
import { subgroupMatrix } from 'engram/subgroup-matrix';
import type { TimingOptions, WorkCase } from '../../../bench/bench-case.ts';
import type { Result } from '../../../bench/bench-line.ts';
import { compared, measureWork } from '../../../bench/bench-measure.ts';
import { ceilingCases } from '../../../bench/cases/ceilings.ts';
import { requestAdapter } from '../../gpu/adapter/adapter-browser.ts';
import { failureOf } from '../shared/failure.ts';
import { patiently } from '../shared/patiently.ts';
import { adapterReport } from './adapter-report.ts';
import { piecesFor } from './pieces.ts';
import { benchmarksFor, isNamed, timingOf } from './plan.ts';
import type { Command, GpuChoice, Part, Told } from './protocol.ts';
import { checkAll, REFERENCES } from './reference-cases.ts';

const tell = (told: Told): void => postMessage(told);

const adapterOptions = (gpu: GpuChoice) =>
  gpu === 'software' ? ({ adapter: 'software' } as const) : { powerPreference: gpu };

/** Kept from one command to the next, with all kernels that it has compiled. */
let engine: Promise<Engine> | null = null;

async function openEngine(gpu: GpuChoice): Promise<Engine> {
  const { adapter } = await patiently(() => requestAdapter(adapterOptions(gpu)));
  const hasMatrices = adapter.features.has(subgroupMatrix.feature);
  const opened = await Engine.create({ ...adapterOptions(gpu), ...(hasMatrices ? { subgroupMatrix } : {}) });
  tell({ type: 'opened', description: opened.adapterDescription });
  return opened;
}

/** Whether nothing more can be measured after it. */
const isFatal = (error: unknown): boolean => error instanceof DeviceLostError;

async function measureCases(
  on: Engine,
  part: 'ceilings' | 'benchmarks',
  cases: readonly WorkCase[],
  options: TimingOptions,
): Promise<void> {
  const results = new Map<string, Result>();
  for (const [done, bench] of cases.entries()) {
    const { name, needs } = bench;
    tell({ type: 'doing', part, name, done, total: cases.length });
    if (needs !== undefined && !on.device.features.has(needs)) {
      tell({ type: 'left out', part, name, why: `the adapter has no ${needs}.` });
      continue;
    }
    try {
      const result = compared(await measureWork(on, bench, options), bench, results);
      results.set(name, result);
      tell({ type: 'measured', part, result });
    } catch (error) {
      if (isFatal(error)) throw error;
      tell({ type: 'left out', part, name, why: failureOf(error).message });
    }
  }
}

async function measurePieces(on: Engine, only: readonly string[]): Promise<void> {
  const pieces = piecesFor(on).filter(({ name }) => only.length === 0 || isNamed(name, only));
  for (const [done, { name, measureOn }] of pieces.entries()) {
    tell({ type: 'doing', part: 'variants', name, done, total: pieces.length });
    try {
      tell(await measureOn(on));
    } catch (error) {
      if (isFatal(error)) throw error;
      tell({ type: 'left out', part: 'variants', name, why: failureOf(error).message });
    }
  }
}

async function checkReferences(on: Engine, only: readonly string[]): Promise<void> {
  const names = [...REFERENCES.keys()].filter((name) => only.length === 0 || isNamed(name, only));
  const before = (name: string, done: number, total: number) =>
    tell({ type: 'doing', part: 'conformance', name, done, total });
  for await (const verdict of checkAll(on, names, before)) tell(verdict);
}

async function runPart(part: Part, { gpu, only }: Command): Promise<void> {
  if (part === 'adapter') return tell(adapterReport(await patiently(() => requestAdapter(adapterOptions(gpu)))));
  engine ??= openEngine(gpu);
  const on = await engine;
  const { adapterKind } = on;
  if (part === 'ceilings') return measureCases(on, part, ceilingCases, timingOf(adapterKind));
  if (part === 'benchmarks') {
    return measureCases(on, part, benchmarksFor(adapterKind, only), timingOf(adapterKind));
  }
  return part === 'variants' ? measurePieces(on, only) : checkReferences(on, only);
}

async function run(command: Command): Promise<void> {
  for (const part of command.parts) {
    tell({ type: 'begun', part });
    await runPart(part, command);
    tell({ type: 'ended', part });
  }
  tell({ type: 'finished' });
}

function fail(error: unknown): void {
  const failure = failureOf(error);
  // How to go on is for programs that have tensors to lose.
  tell({ type: 'failed', ...failure, ...(error instanceof DeviceLostError ? { message: error.reason } : {}) });
}

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  run(command).catch(fail);
});
