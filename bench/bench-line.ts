/** One benchmark's result, as a line of JSON or of a table. */
import type { ProcessResult } from './bench-case.ts';

export interface Result extends ProcessResult {
  readonly name: string;
  /** Groups of one sample, and samples. */
  readonly groups?: number;
  readonly samples?: number;
  /** A case timed in the same run, and this one's median as a multiple of it. */
  readonly versus?: string;
  readonly ratio?: number;
}

/** GFLOP/s or GB/s. */
export const rate = (amount: number | undefined, ms: number) => (amount === undefined ? undefined : amount / ms / 1e6);
const rounded = (value: number) => Number(value.toPrecision(4));
/** Nanoseconds for one group of one sample. */
const groupTime = ({ ms, groups, samples }: Result) =>
  groups === undefined || samples === undefined ? undefined : (ms * 1e6) / groups / samples;

export function jsonLine(result: Result, adapter: string): string {
  const { name, ms, min, p90, cpu, runs, flops, bytes, groups, versus, ratio, first, losses } = result;
  const { launches, javascript, handover } = result;
  const rates = { gflops: rate(flops, ms), gbs: rate(bytes, ms), nsPerGroupSample: groupTime(result), ratio };
  const known = Object.entries(rates).flatMap(([key, value]) => (value === undefined ? [] : [[key, rounded(value)]]));
  return JSON.stringify({
    name,
    ...{ ms: rounded(ms), min: rounded(min), p90: rounded(p90) },
    cpu: Number.isNaN(cpu) ? undefined : rounded(cpu),
    runs,
    groups,
    ...Object.fromEntries(known),
    launches,
    javascript: javascript && rounded(javascript),
    handover: handover && rounded(handover),
    versus,
    version: result.version,
    first: first && rounded(first),
    losses: losses?.map((loss) => Number(loss.toPrecision(6))),
    differs: result.differs,
    adapter,
    date: new Date().toISOString().slice(0, 10),
  });
}

const column = (value: number) => value.toFixed(value < 10 ? 3 : 1).padStart(9);

export const tableHead = (width: number): string =>
  `${'benchmark'.padEnd(width)}${['ms', 'min', 'p90', 'cpu ms'].map((title) => title.padStart(9)).join('')}   runs`;

export function tableLine(result: Result, width: number): string {
  const { name, ms, min, p90, cpu, runs, flops, bytes, groups, versus, ratio, first, losses, differs } = result;
  const gflops = rate(flops, ms);
  const gbs = rate(bytes, ms);
  const each = groupTime(result);
  const parts = [
    gflops !== undefined ? `${column(gflops)} GFLOP/s` : gbs !== undefined ? `${column(gbs)} GB/s` : '',
    each === undefined ? '' : `${String(groups).padStart(8)} groups ${column(each)} ns each and sample`,
    result.launches === undefined
      ? ''
      : `  ${result.launches} launches, JavaScript ${result.javascript?.toFixed(3)} ms, handed over in ${result.handover?.toFixed(2)} ms`,
    ratio === undefined ? '' : `${column(ratio)} × ${versus}`,
    first === undefined ? '' : `  first after ${(first / 1000).toFixed(1)} s, shader cache as it was`,
    losses === undefined ? '' : `  losses ${losses.map((loss) => loss.toFixed(4)).join(' ')}`,
    differs === undefined ? '' : `  NOT THE SAME WORK: ${differs}`,
  ];
  return `${name.padEnd(width)}${[ms, min, p90, cpu].map(column).join('')} ${String(runs).padStart(6)} ${parts.join('')}`.trimEnd();
}
