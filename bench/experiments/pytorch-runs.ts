/** The protocols as `bench/reference/protocols.py` ran them in PyTorch, next to ours in the same orders of the classes. */
import * as v from 'valibot';
import { mean, standardDeviation } from '../../src/report/statistics.ts';
import { COMPARED } from '../../src/sweep/comparison.ts';
import { jsonLines } from './json-lines.ts';
import { PROTOCOLS, type Protocol } from './method-protocols.ts';

const PATH = 'bench/results/pytorch.jsonl';

const runSchema = v.object({
  protocol: v.picklist(PROTOCOLS),
  method: v.string(),
  order: v.number(),
  seed: v.number(),
  average: v.number(),
  last: v.number(),
  torch: v.string(),
  date: v.string(),
});

export type PyTorchRun = v.InferOutput<typeof runSchema>;

/** What is recorded. */
export const pytorchRuns = async (): Promise<PyTorchRun[]> => v.parse(v.array(runSchema), await jsonLines(PATH));

/** Accuracies of a run, and the order of the classes that it had. */
type Figures = Pick<PyTorchRun, 'order' | 'average' | 'last'>;

/** Of one method under one protocol, average and last accuracy: over orders of the means over their runs. */
export interface BesidePyTorch {
  readonly protocol: Protocol;
  readonly method: string;
  /** Orders of the classes that both had. */
  readonly orders: readonly number[];
  readonly theirRuns: number;
  readonly ourRuns: number;
  readonly theirs: readonly [average: number, last: number];
  readonly ours: readonly [average: number, last: number];
  /** Versions of PyTorch. */
  readonly torch: readonly string[];
  /** Standard deviation of PyTorch's runs of one order, all orders' together; NaN where each was run once. */
  readonly chance: readonly [average: number, last: number];
}

function byOrder(runs: readonly Figures[], orders: readonly number[], key: 'average' | 'last'): number[][] {
  return orders.map((order) => runs.flatMap((run) => (run.order === order ? [run[key]] : [])));
}

function pooledDeviation(groups: readonly (readonly number[])[]): number {
  const repeated = groups.filter((values) => values.length > 1);
  const freedom = repeated.reduce((total, values) => total + values.length - 1, 0);
  const squares = repeated.reduce((total, values) => total + (values.length - 1) * standardDeviation(values) ** 2, 0);
  return Math.sqrt(squares / freedom);
}

/** @param ours by protocol and method. */
export function besidePyTorch(
  theirs: readonly PyTorchRun[],
  ours: (protocol: Protocol, method: string) => readonly Figures[],
): BesidePyTorch[] {
  const pairs = PROTOCOLS.flatMap((protocol) =>
    [...new Set(theirs.filter((run) => run.protocol === protocol).map(({ method }) => method))].map(
      (method) => ({ protocol, method }) as const,
    ),
  );
  return pairs.flatMap(({ protocol, method }) => {
    const own = ours(protocol, method);
    const known = theirs.filter((run) => run.protocol === protocol && run.method === method);
    const orders = [...new Set(known.map(({ order }) => order))]
      .filter((order) => own.some((run) => run.order === order))
      .sort((a, b) => a - b);
    if (orders.length === 0) return [];
    const both = (runs: readonly Figures[]) =>
      COMPARED.map((key) => mean(byOrder(runs, orders, key).map(mean))) as [number, number];
    const count = (runs: readonly Figures[]) => byOrder(runs, orders, 'last').flat().length;
    const chance = COMPARED.map((key) => pooledDeviation(byOrder(known, orders, key))) as [number, number];
    const torch = [...new Set(known.map(({ torch: version }) => version))];
    return [
      {
        ...{ protocol, method, orders, torch, chance },
        ...{ theirRuns: count(known), ourRuns: count(own), theirs: both(known), ours: both(own) },
      },
    ];
  });
}
