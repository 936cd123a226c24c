/** What the ablation of dense distillation compares: pool × weighting, then temperature and λ, on three scenarios. */
import type { ConfigInput } from '../src/continual/config.ts';
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
const weightings = ['fixed', 'count', 'ratio', 'adaptive'] as const;

export const cells: readonly Cell[] = [
  { pool: 'none', ...centre, lambda: 0 },
  ...(['whole', 'tasks', 'dense'] as const).flatMap((pool) =>
    weightings.map((weighting) => ({ ...centre, pool, weighting })),
  ),
  ...(['random', 'runs', 'prefixes'] as const).map((pool) => ({ ...centre, pool })),
  ...(['whole', 'tasks', 'dense'] as const).flatMap((pool) => [
    ...[1, 4].map((temperature) => ({ ...centre, pool, temperature })),
    ...[0.5, 4].map((lambda) => ({ ...centre, pool, lambda })),
  ]),
];

/** Small enough for the whole ablation to be run on two cores: a narrow network and few images. */
const common: ConfigInput = {
  model: 'resnet8',
  width: 8,
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: 'cosine',
  crop: 2,
  align: true,
};

export const scenarios: Readonly<Record<string, ConfigInput>> = {
  'fashion-5x2': {
    data: 'fashion-mini',
    tasks: 5,
    trainPerClass: 100,
    testPerClass: 100,
    memory: 100,
    epochs: 10,
    batch: 32,
    lr: 0.1,
    flip: 0.5,
  },
  'glyphs-10x10': {
    data: 'glyphs',
    tasks: 10,
    trainPerClass: 20,
    testPerClass: 20,
    memory: 300,
    epochs: 10,
    batch: 32,
    lr: 0.05,
  },
  'glyphs-20x5': {
    data: 'glyphs',
    tasks: 20,
    trainPerClass: 20,
    testPerClass: 20,
    memory: 300,
    epochs: 8,
    batch: 32,
    lr: 0.05,
  },
};

export const cellName = ({ pool, weighting, temperature, lambda }: Cell): string =>
  `${pool}/${weighting}/T${temperature}/w${lambda}`;

function distillation({ pool, weighting, temperature, lambda }: Cell): ConfigInput {
  if (pool === 'none') return { method: 'replay' };
  const shared = { weighting, temperature, kdWeight: lambda };
  return pool === 'random' ? { method: 'rdkd', ...shared } : { method: 'fdkd', pool, ...shared };
}

/** Every cell with the first `seeds` seeds, seed by seed: stopped early, the table lacks seeds rather than cells. */
export function ablationRuns(seeds: number): Run[] {
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    Object.entries(scenarios).flatMap(([scenario, config]) =>
      cells.map((cell) => ({
        name: `${scenario}/${cellName(cell)}/${seed}`,
        // A seed has its own class order too.
        config: { ...common, ...config, ...distillation(cell), seed, classSeed: seed },
      })),
    ),
  );
}
