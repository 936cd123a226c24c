/** Records of runs, as run.json holds them. */
import type { RunRecord } from '../../src/continual/benchmark/run-record.ts';

/** Three tasks, of an older version: no counts, no terms of losses, no dates. */
export const plainRecord = (change: Partial<RunRecord> = {}): RunRecord => ({
  name: 'fdkd-0',
  method: 'fdkd',
  dataset: 'glyphs',
  config: { seed: 0, optimizer: { rate: 0.05 }, note: '<script>alert(1)</script>' },
  classesPerTask: [20, 10, 10],
  classOrder: [2, 0, 1],
  matrix: [[90], [60, 80], [40, 50, 100]],
  average: 73.89,
  last: 57.5,
  forgetting: 40,
  losses: [
    { task: 0, epoch: 0, loss: 2.5, accuracy: 20 },
    { task: 0, epoch: 1, loss: 1.25 },
    { task: 1, epoch: 0, loss: null },
    { task: 2, epoch: 0, loss: 0.5, imagesPerSecond: 1000 },
  ],
  adapter: 'a software adapter',
  date: '2026-01-02T03:04:05.000Z',
  seconds: 75,
  ...change,
});

const bins = (first = 0, last = 0) => [first, ...new Array<number>(13).fill(0), last];

/** What one part was taken for, ten images a class. */
export const testedPart = (counts: [number, number, number][], withinTask: number) => ({
  counts,
  nearestMean: null,
  withinTask,
  calibration: { images: bins(0, 10), right: bins(0, 8), confidence: bins(0, 9.5) },
});

/** Two tasks of a class each, counted. */
export const countedRecord = (change: Partial<RunRecord> = {}): RunRecord =>
  plainRecord({
    version: '1.2.3',
    classesPerTask: [1, 1],
    classOrder: [1, 0],
    matrix: [[100], [70, 40]],
    average: 77.5,
    last: 55,
    forgetting: 30,
    losses: [
      {
        task: 0,
        epoch: 0,
        loss: 2.5,
        terms: { ce: 2.5 },
        lr: 0.1,
        steps: 4,
        seconds: 2,
        date: '2026-01-02T03:04:07.000Z',
      },
      {
        ...{ task: 1, epoch: 0, loss: 0.75, terms: { ce: 0.5, kd: 0.25 }, lr: 0.1, steps: 4, seconds: 4 },
        imagesPerSecond: 8,
        date: '2026-01-02T03:04:12.000Z',
      },
    ],
    tests: [
      [testedPart([[0, 0, 10]], 10)],
      [
        testedPart(
          [
            [0, 0, 7],
            [0, 1, 3],
          ],
          10,
        ),
        testedPart(
          [
            [1, 0, 6],
            [1, 1, 4],
          ],
          10,
        ),
      ],
    ],
    zeroShots: [{ images: 10, before: 4, untrained: 5 }],
    tasks: [
      { newClasses: ['=cup'], exemplars: 10, exemplarBytes: 7840, peakBytes: 2e6, notes: {}, seconds: 3 },
      {
        ...{ newClasses: ['pen; ink'], exemplars: 20, exemplarBytes: 15680, peakBytes: 3e6, notes: { gamma: 0.9 } },
        seconds: 5,
        date: '2026-01-02T03:04:14.000Z',
      },
    ],
    ...change,
  });
