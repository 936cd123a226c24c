/** What the ablation of dense distillation compares: pool × weighting, then temperature and λ, on three scenarios. */
import type { ConfigInput } from '../../src/continual/benchmark/config.ts';
import type { Run } from './experiment.ts';

/** One setting of the distillation. */
export interface Cell {
  /** `none`: replay alone. `random`: one group of the dense pool a step (RDKD). */
  readonly pool: 'none' | 'whole' | 'tasks' | 'prefixes' | 'runs' | 'dense' | 'random';
  readonly weighting: 'fixed' | 'count' | 'ratio' | 'adaptive';
  readonly temperature: number;
  readonly lambda: number;
}

const centre = { weighting: 'fixed', temperature: 2, lambda: 1 } as const;

/** The questions asked first: is distillation worth it, which groups, and does adapting the weights help? */
const core: readonly Cell[] = [
  { pool: 'none', ...centre, lambda: 0 },
  { pool: 'whole', ...centre },
  { pool: 'tasks', ...centre },
  { pool: 'dense', ...centre },
  { pool: 'dense', ...centre, weighting: 'count' },
  { pool: 'dense', ...centre, weighting: 'adaptive' },
  { pool: 'random', ...centre },
];

const further: readonly Cell[] = [
  { pool: 'dense', ...centre, weighting: 'ratio' },
  ...(['whole', 'tasks'] as const).flatMap((pool) =>
    (['count', 'ratio', 'adaptive'] as const).map((weighting) => ({ ...centre, pool, weighting })),
  ),
  ...(['whole', 'tasks', 'dense'] as const).flatMap((pool) => [
    ...[0.5, 4].map((lambda) => ({ ...centre, pool, lambda })),
    ...[1, 4].map((temperature) => ({ ...centre, pool, temperature })),
  ]),
  ...(['runs', 'prefixes'] as const).map((pool) => ({ ...centre, pool })),
];

export const cells: readonly Cell[] = [...core, ...further];

/** The protocols of the reference accuracies on a narrower network: about two minutes a run on two cores. */
const common: ConfigInput = {
  model: 'resnet8',
  width: 8,
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: 'cosine',
  batch: 32,
  lr: 0.1,
  align: true,
};

/** Clipped: without, the narrow network hardly learns its first ten classes at this rate. */
const glyphs: ConfigInput = {
  data: 'glyphs',
  trainPerClass: 60,
  memory: 200,
  baseEpochs: 20,
  epochs: 8,
  crop: 1,
  clip: 1,
};

export const scenarios: Readonly<Record<string, ConfigInput>> = {
  'fashion-5x2': {
    data: 'fashion-mini',
    tasks: 5,
    trainPerClass: 100,
    testPerClass: 100,
    memory: 100,
    epochs: 10,
    crop: 2,
    flip: 0.5,
  },
  'glyphs-10x10': { ...glyphs, tasks: 10 },
  'glyphs-20x5': { ...glyphs, tasks: 20 },
};

export const cellName = ({ pool, weighting, temperature, lambda }: Cell): string =>
  `${pool}/${weighting}/T${temperature}/w${lambda}`;

function distillation({ pool, weighting, temperature, lambda }: Cell): ConfigInput {
  if (pool === 'none') return { method: 'replay' };
  const shared = { weighting, temperature, kdWeight: lambda };
  return pool === 'random' ? { method: 'rdkd', ...shared } : { method: 'fdkd', pool, ...shared };
}

const runOf = (scenario: string, cell: Cell, seed: number): Run => ({
  name: `${scenario}/${cellName(cell)}/${seed}`,
  // A seed has its own class order too.
  config: { ...common, ...scenarios[scenario], ...distillation(cell), seed, classSeed: seed },
});

/** Every cell with seeds 0 … `seeds` − 1. The first questions first, and seed by seed, so that whenever it is stopped there is a table. */
export function ablationRuns(seeds: number): Run[] {
  return [core, further].flatMap((part) =>
    Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
      Object.keys(scenarios).flatMap((scenario) => part.map((cell) => runOf(scenario, cell, seed))),
    ),
  );
}
