/**
 * Where the time of some work goes, launch by launch. The launches of one run are noted, then each is repeated alone,
 * many times between two waits. Repeating keeps its data in the caches, so the parts add up to a little less than the whole.
 */

import type { Launch } from '../../src/gpu/launch.ts';
import type { Params } from '../../src/gpu/wgsl/params.ts';
import type { Engine } from '../../src/index.ts';
import type { Work } from '../bench-case.ts';
import { time } from '../bench-timing.ts';

export interface LaunchProfile {
  /** Place in the run, from 0. */
  readonly order: number;
  /** Kernel and entry point. */
  readonly kernel: string;
  readonly workgroups: readonly number[];
  /** Its parameters: sizes, as a rule. */
  readonly params: Params;
  /** Milliseconds, the fastest sample. */
  readonly ms: number;
  /** Processor time of all threads in milliseconds. */
  readonly cpu: number;
}

export interface Profile {
  /** The whole run: milliseconds, the fastest sample, and processor time. */
  readonly whole: { readonly ms: number; readonly cpu: number };
  readonly launches: readonly LaunchProfile[];
}

function launchesOf(engine: Engine, work: Work): Launch[] {
  const launches: Launch[] = [];
  engine.dispatch = (dispatch) => {
    launches.push(dispatch);
    Object.getPrototypeOf(engine).dispatch.call(engine, dispatch);
  };
  engine.scope(() => void work.run());
  Reflect.deleteProperty(engine, 'dispatch'); // the class's own is back
  return launches;
}

export async function profile(engine: Engine, work: Work): Promise<Profile> {
  const { min, cpu } = await time(engine, work);
  const launches: LaunchProfile[] = [];
  for (const [order, dispatch] of launchesOf(engine, work).entries()) {
    const { kernel, workgroups, params = {} } = dispatch;
    const alone = await time(engine, { run: () => engine.dispatch(dispatch) }, { samples: 5 });
    launches.push({
      order,
      kernel: kernel.entry && kernel.entry !== 'main' ? `${kernel.name}.${kernel.entry}` : kernel.name,
      workgroups: workgroups.map((n) => n ?? 1),
      params: params as Params,
      ms: alone.min,
      cpu: alone.cpu,
    });
  }
  return { whole: { ms: min, cpu }, launches };
}

/** The parameters that are single numbers. */
const paramsText = (params: Params): string =>
  `(${Object.entries(params)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${value}`] : []))
    .join(', ')})`;

const fixed = (value: number) => value.toFixed(2).padStart(9);

/** Two tables: time by kernel, and the slowest launches. */
export function profileText({ whole, launches }: Profile, slowest = 30): string {
  const kernels = new Map<string, { count: number; ms: number; cpu: number }>();
  let total = 0;
  for (const { kernel, ms, cpu } of launches) {
    const sum = kernels.get(kernel) ?? { count: 0, ms: 0, cpu: 0 };
    kernels.set(kernel, { count: sum.count + 1, ms: sum.ms + ms, cpu: sum.cpu + cpu });
    total += cpu;
  }
  const width = Math.max(...launches.map(({ kernel }) => kernel.length));
  const byKernel = [...kernels]
    .sort(([, a], [, b]) => b.cpu - a.cpu)
    .map(
      ([kernel, { count, ms, cpu }]) =>
        `${kernel.padEnd(width)} ${String(count).padStart(8)} ${fixed(ms)} ${fixed(cpu)} ${((100 * cpu) / total).toFixed(1).padStart(7)}`,
    );
  const bySize = [...launches]
    .sort((a, b) => b.cpu - a.cpu)
    .slice(0, slowest)
    .map(
      ({ order, kernel, workgroups, params, ms, cpu }) =>
        `${kernel.padEnd(width)} ${String(order).padStart(8)} ${fixed(ms)} ${fixed(cpu)}  ${workgroups.join('×')} ${paramsText(params)}`,
    );
  return [
    `the whole: ${whole.ms.toFixed(2)} ms, ${whole.cpu.toFixed(2)} ms of processor time; ${launches.length} launches`,
    `${'kernel'.padEnd(width)} launches        ms    cpu ms  % of cpu`,
    ...byKernel,
    '',
    `${'slowest launches'.padEnd(width)}    order        ms    cpu ms  workgroups (parameters)`,
    ...bySize,
  ].join('\n');
}
