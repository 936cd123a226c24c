/** Records of runs that take all the room a page may have to give: many tasks, and names without a place to break them. */
import type { AnalysisRecord } from '../../src/analysis/run/analysis-record.ts';
import type { RunRecord } from '../../src/continual/benchmark/run-record.ts';
import { countedRecord, testedPart } from './run-records.ts';

const TASKS = 20;
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Everything that the page of runs may say. */
export function largeRun(name: string, seed: number): RunRecord {
  const matrix = Array.from({ length: TASKS }, (_, after) =>
    Array.from({ length: after + 1 }, (_, task) => (task === after ? 100 : 50)),
  );
  const part = (task: number, isOld: boolean) =>
    testedPart(
      isOld
        ? [
            [task, task, 5],
            [task, 0, task === 0 ? 0 : 5],
          ]
        : [[task, task, 10]],
      10,
    );
  return countedRecord({
    name,
    config: {
      seed,
      memory: 2000,
      gradientCheckpointing: false,
      classOrder: Array.from({ length: TASKS }, (_, i) => i),
    },
    classesPerTask: new Array<number>(TASKS).fill(1),
    classOrder: Array.from({ length: TASKS }, (_, i) => i),
    matrix,
    tests: matrix.map((row, after) => row.map((_, task) => part(task, task < after))),
    zeroShots: new Array(TASKS - 1).fill({ images: 10, before: 4, untrained: 5 }),
    losses: Array.from({ length: 60 }, (_, i) => ({
      ...{ task: Math.floor(i / 3), epoch: i % 3, loss: 2 - i / 50, terms: { ce: 1.5 - i / 60, kd: 0.5 - i / 300 } },
      ...{ lr: 0.1 / (1 + (i % 3)), steps: 10, seconds: 1, imagesPerSecond: 123456 },
    })),
    tasks: matrix.map((_, task) => ({
      ...{ newClasses: [`Klassenbezeichnung_ohne_Trennstelle_${task}`], exemplars: 2000, exemplarBytes: 6144000 },
      ...{ peakBytes: 1.5e9, notes: { gamma: 0.987654321, alpha: 1.23456789 }, seconds: 12345 },
    })),
    seconds: 246900,
  });
}

/** Every measure. */
export function largeAnalysis(name: string, method: string, seed: number): AnalysisRecord {
  const stages = range(TASKS + 1);
  const settings = { images: 512, stages, a_setting_with_a_name_that_breaks_nowhere_at_all: 'x'.repeat(60) };
  const similarity = range(4).map(() => stages.map((a) => stages.map((b) => 1 / (1 + Math.abs(a - b) + 0.01 * seed))));
  return {
    ...{ name, method, dataset: 'glyphs', config: { seed }, tasks: TASKS, state: name, adapter: 'a software adapter' },
    parts: {
      hessian: {
        settings,
        result: { eigenvalues: [1234.5, 12.3, 1e-9], trace: -98765, traceError: 12, parameters: 1e6, exact: true },
      },
      sharpness: {
        settings,
        result: {
          loss: 0.1,
          average: [0.05, 0.1, 0.2, 0.4].map((rho) => ({ rho, rise: (1 + seed) * rho ** 2, error: 1e-3 })),
          worst: [{ norm: 'max', rho: 0.0005, rise: -1.2345e-7 }],
        },
      },
      classifier: {
        settings,
        result: {
          blocks: range(TASKS).map((task) => ({ norm: 0.5 + task / 10, bias: (seed - task) / 1000 })),
          calibration: { tasks: range(TASKS).map((task) => 12.3 + task + seed), all: 23.4 },
        },
      },
      drift: {
        settings,
        result: { stages, layers: ['layer 1', 'layer 2', 'layer 3', 'features'], similarity },
      },
      stability: {
        settings,
        result: {
          stages,
          accuracy: stages.map((stage) => 50 + stage + seed),
          blocks: stages.map((stage) => range(TASKS).map((task) => (stage > task ? 100 : 10 * seed))),
        },
      },
      landscape: {
        settings,
        result: { extent: 1, losses: range(9).map((y) => range(9).map((x) => 0.1 + (x - 4) ** 2 + (y - 4) ** 2)) },
      },
    },
  };
}
