/**
 * Times work on the GPU. Waiting for the device costs a polling turn of about a millisecond, as much as many kernels
 * take: so a sample is a batch of runs with one wait at its end. (Benchmark libraries time one asynchronous call at a
 * time, and would time that turn.) Medians, because other work on the machine only ever adds.
 */

import type { Engine, Tensor } from '../src/index.ts';
import { capture } from '../src/index.ts';
import type { StepCost, Timing, TimingOptions, Work, WorkCase } from './bench-case.ts';

/** The wait should be a small part of a sample. */
const SAMPLE_MS = 40;
/** Runs ahead of the device at most: what they make takes memory until then. */
const MOST_BATCH = 512;
const STEPS_IN_FLIGHT = 8;
const LEAST_SAMPLES = 3;
const MOST_SAMPLES = 50;

export interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

function cpuMilliseconds(): number {
  if (typeof process === 'undefined') return Number.NaN;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Times what is done in some runs, of one run. */
export async function timed(runs: number, work: () => Promise<void>): Promise<Sample> {
  const cpu = cpuMilliseconds();
  const start = performance.now();
  await work();
  return { wall: (performance.now() - start) / runs, cpu: (cpuMilliseconds() - cpu) / runs };
}

const once = (engine: Engine, work: Work): void => engine.scope(() => void work.run());

const sample = (engine: Engine, work: Work, batch: number): Promise<Sample> =>
  timed(batch, async () => {
    for (let i = 0; i < batch; i++) once(engine, work);
    await engine.sync();
  });

/** Milliseconds that recording a step takes, some times over. */
function recordingTimes(engine: Engine, work: Work): number[] {
  return Array.from({ length: STEPS_IN_FLIGHT }, () => {
    const start = performance.now();
    once(engine, work);
    return performance.now() - start;
  });
}

/** Runs `use` while the device encodes, submits and uploads nothing. */
export function withIdleDevice<T>(device: GPUDevice, use: () => T): T {
  const nothing = () => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: nothing };
  const { queue } = device;
  // In front of the methods of their prototypes.
  Object.assign(device, { createCommandEncoder: () => encoder });
  Object.assign(queue, { submit: nothing, writeBuffer: nothing });
  try {
    return use();
  } finally {
    Reflect.deleteProperty(device, 'createCommandEncoder');
    for (const name of ['submit', 'writeBuffer']) Reflect.deleteProperty(queue, name);
  }
}

/** Takes a few steps without waiting. */
async function stepCost(engine: Engine, work: Work): Promise<StepCost> {
  const { dispatches } = engine.memory();
  const handover = recordingTimes(engine, work);
  await engine.sync();
  const launches = (engine.memory().dispatches - dispatches) / STEPS_IN_FLIGHT;
  const javascript = withIdleDevice(engine.device, () => recordingTimes(engine, work));
  return { launches, javascript: quantile(ascending(javascript), 0.5), handover: quantile(ascending(handover), 0.5) };
}

/** The value that about this share of the sorted values lie under. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** Median, fastest, 90th percentile and least processor time. */
export function summarize(samples: readonly Sample[], batch = 1): Timing {
  const wall = ascending(samples.map((s) => s.wall));
  return {
    ms: quantile(wall, 0.5),
    min: quantile(wall, 0),
    p90: quantile(wall, 0.9),
    cpu: quantile(ascending(samples.map((s) => s.cpu)), 0),
    runs: samples.length * batch,
  };
}

/** As many samples as asked for, or as fit into the budget. */
export async function samplesOf(
  take: () => Promise<Sample>,
  { samples, budget = 800 }: TimingOptions,
): Promise<Sample[]> {
  const taken: Sample[] = [];
  const end = performance.now() + budget;
  const enough = () =>
    samples === undefined
      ? taken.length >= LEAST_SAMPLES && (performance.now() >= end || taken.length >= MOST_SAMPLES)
      : taken.length >= samples;
  while (!enough()) taken.push(await take());
  return taken;
}

/** Warms up (the first run compiles), finds how many runs make a sample, then takes samples. */
export async function time(
  engine: Engine,
  work: Work,
  options: TimingOptions = {},
): Promise<Timing & Partial<StepCost>> {
  const captured = work.captured ? capture(engine, () => void work.run()) : null;
  const ready: Work = captured ? { ...work, run: captured } : work;
  try {
    await sample(engine, ready, 1);
    let batch = 1;
    let { wall } = await sample(engine, ready, batch);
    while (wall * batch < SAMPLE_MS / 2 && batch < MOST_BATCH) {
      batch = Math.min(MOST_BATCH, Math.ceil(Math.max(2 * batch, SAMPLE_MS / wall)));
      ({ wall } = await sample(engine, ready, batch));
    }
    const taken = await samplesOf(() => sample(engine, ready, batch), options);
    return { ...summarize(taken, batch), ...(work.isStep ? await stepCost(engine, ready) : {}) };
  } finally {
    captured?.dispose();
  }
}

/** Prepares a case, hands its work to `use`, and frees everything made meanwhile. */
export async function withWork<T>(engine: Engine, { prepare }: WorkCase, use: (work: Work) => Promise<T>): Promise<T> {
  const made = new Set<Tensor>();
  engine.scopes.push(made as (typeof engine.scopes)[number]);
  let work: Work | undefined;
  try {
    try {
      work = prepare(engine);
    } finally {
      engine.scopes.pop();
    }
    return await use(work);
  } finally {
    work?.dispose?.();
    for (const tensor of made) tensor.dispose();
  }
}
