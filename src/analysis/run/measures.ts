/** What is measured of a run, a measure a name: with which settings, and how. */
import { noGrad } from '../../autograd/tape.ts';
import { expectedCalibrationError, joinedCalibration } from '../../continual/benchmark/metrics/calibration-error.ts';
import type { TaskImages } from '../../continual/task-images.ts';
import { capture } from '../../tensor/capture.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { classifierBlocks } from '../classifier-blocks.ts';
import { Hessian } from '../hessian.ts';
import { LinearProbe } from '../linear-probe.ts';
import { LossLandscape } from '../loss-landscape.ts';
import { sumOf } from '../loss-parts.ts';
import { innerProducts, minibatchCKA } from '../minibatch-cka.ts';
import { averageSharpness, worstSharpness } from '../sharpness.ts';
import { type AnalysedRun, featuresOf } from './analysed-run.ts';
import type { AnalysisName, AnalysisResults } from './analysis-record.ts';
import { labelled } from './training-subset.ts';

/** Is told how much is done of what. */
export type Tell = (done: number, of: number) => void;

interface Measure<K extends AnalysisName> {
  /** What it depends on beside the state of the run: a record with other settings is measured again. */
  settings(run: AnalysedRun): Readonly<Record<string, unknown>>;
  /** Whether it is about the models after earlier tasks. */
  readonly ofStages?: true;
  measure(run: AnalysedRun, tell: Tell): Promise<AnalysisResults[K]>;
}

/** The images, and all that is drawn. */
const drawn = ({ train, seed }: AnalysedRun) => ({ images: train.labels.length, seed });

/** Four digits more than are shown. */
const short = (value: number): number => Number(value.toPrecision(7));
const orNone = (value: number): number | null => (Number.isFinite(value) ? short(value) : null);

const HESSIAN = { eigenvalues: 3, iterations: 30, tolerance: 1e-3, samples: 20, step: 0.1, levels: 3 };

const hessian: Measure<'hessian'> = {
  settings: (run) => ({ ...drawn(run), ...HESSIAN }),
  measure: (run, tell) =>
    run.with(run.train, async (images) => {
      const { eigenvalues: count, iterations, tolerance, samples, step, levels } = HESSIAN;
      const { seed } = run;
      const matrix = new Hessian(run.model.parameters(), run.loss(images), { step, levels });
      const most = iterations + samples;
      const eigenvalues = await matrix.topEigenvalues({
        count,
        iterations,
        tolerance,
        seed,
        onProduct: (taken) => tell(taken, most),
      });
      const { trace, standardError } = await matrix.trace({
        samples,
        seed,
        onProduct: (taken) => tell(iterations + taken, most),
      });
      return {
        eigenvalues: eigenvalues.map(short),
        trace: short(trace),
        traceError: short(standardError),
        parameters: matrix.size,
        exact: matrix.exact,
      };
    }),
};

const SHARPNESS = {
  average: [0.05, 0.1, 0.2, 0.4],
  samples: 5,
  worst: [
    { norm: 'max', rho: 0.0005 },
    { norm: 'max', rho: 0.002 },
    { norm: 'l2', rho: 0.1 },
  ],
  steps: 20,
} as const;

const sharpness: Measure<'sharpness'> = {
  settings: (run) => ({ ...drawn(run), ...SHARPNESS }),
  measure: (run, tell) =>
    run.with(run.train, async (images) => {
      const { seed, engine } = run;
      const [parameters, loss] = [run.model.parameters(), run.loss(images)];
      const { samples, steps } = SHARPNESS;
      // A step has a backward pass too, a draw two forward passes.
      const of = SHARPNESS.average.length * samples * 2 + SHARPNESS.worst.length * steps * 3;
      let done = 0;
      const more = (work: number) => () => {
        done += work;
        tell(done, of);
      };
      const at = sumOf(engine, loss);
      const before = await at.item();
      at.dispose();
      const average: AnalysisResults['sharpness']['average'] = [];
      for (const rho of SHARPNESS.average) {
        const { sharpness: rise, standardError } = await averageSharpness(parameters, loss, {
          rho,
          samples,
          seed,
          onSample: more(2),
        });
        average.push({ rho, rise: orNone(rise), error: orNone(standardError) });
      }
      const worst: AnalysisResults['sharpness']['worst'] = [];
      for (const { norm, rho } of SHARPNESS.worst) {
        const rise = await worstSharpness(parameters, loss, { norm, rho, steps, onStep: more(3) });
        worst.push({ norm, rho, rise: orNone(rise) });
      }
      return { loss: short(before), average, worst };
    }),
};

const classifier: Measure<'classifier'> = {
  settings: () => ({}),
  async measure({ model, benchmark, taskSizes }, tell) {
    const { learner, stream, tasksDone } = benchmark;
    const calibrations = [];
    for (let task = 0; task < tasksDone; task++) {
      calibrations.push((await learner.evaluate(stream.test(task))).calibration);
      tell(task + 1, tasksDone);
    }
    const blocks = await classifierBlocks(model, taskSizes);
    return {
      blocks:
        blocks?.map(({ norm, bias }) => ({ norm: short(norm), bias: bias === null ? null : short(bias) })) ?? null,
      calibration: {
        tasks: calibrations.map((one) => short(expectedCalibrationError(one))),
        all: short(expectedCalibrationError(joinedCalibration(calibrations))),
      },
    };
  },
};

/**
 * Images in a batch that similarities are taken in: as many in each, and no fewer than the estimate needs. Batches are drawn, as the
 * estimate takes for granted: one of images of few classes says nothing of what tells the others apart.
 */
const DRIFT = { batch: 128, batches: 'drawn' };

/** Inner products of each layer, batch by batch: [layer][batch]. */
async function productsOf(run: AnalysedRun, tasks: number, images: TaskImages): Promise<Tensor[][]> {
  const count = images.labels.length;
  const batches = Math.max(1, Math.ceil(count / DRIFT.batch));
  const size = Math.floor(count / batches);
  // The same for every model: the images come sorted by task and class.
  const order = Random.of(run.seed, 'drift').permutation(count);
  return run.after(tasks, async (model) => {
    const found: Tensor[][] = [];
    for (let batch = 0; batch < batches; batch++) {
      const places = [...order.subarray(batch * size, (batch + 1) * size)];
      const layers = noGrad(run.engine, () =>
        run.engine.scope(() => {
          const { stages, features } = model.outputs(images.raw(places));
          return [...stages, features].map((layer) => run.engine.keep(innerProducts(layer)));
        }),
      );
      for (const [layer, product] of layers.entries()) {
        found[layer] ??= [];
        found[layer].push(product);
      }
      await run.engine.sync();
    }
    return found;
  });
}

const drift: Measure<'drift'> = {
  settings: (run) => ({ ...drawn(run), stages: run.stages, ...DRIFT }),
  ofStages: true,
  measure: (run, tell) =>
    run.with(run.train, async (images) => {
      const { stages } = run;
      const products: Tensor[][][] = [];
      for (const tasks of stages) {
        products.push(await productsOf(run, tasks, images));
        tell(products.length, stages.length);
      }
      const depth = Math.min(...products.map(({ length }) => length));
      const similarity: number[][][] = [];
      for (let layer = 0; layer < depth; layer++) {
        // From the end: features are the last of all.
        const own = products.map((layers) => layers[layers.length - depth + layer] as Tensor[]);
        const rows = own.map(() => own.map(() => 1));
        for (const [a, one] of own.entries())
          for (const [b, other] of own.entries())
            if (a < b) rows[a]![b] = rows[b]![a] = short(await minibatchCKA(one, other));
        similarity.push(rows);
      }
      for (const one of products.flat(2)) one.dispose();
      const layers = similarity.map((_, layer) => (layer === depth - 1 ? 'features' : `layer ${layer + 1}`));
      return { stages: [...stages], layers, similarity };
    }),
};

const STABILITY = { decay: 1e-3, steps: 500 };

const stability: Measure<'stability'> = {
  settings: (run) => ({ ...drawn(run), stages: run.stages, ...STABILITY }),
  ofStages: true,
  async measure(run, tell) {
    const { stream, learner, tasksDone } = run.benchmark;
    const { classes } = learner;
    const tests = Array.from({ length: tasksDone }, (_, task) => labelled(stream.test(task), classes));
    const stages = [0, ...run.stages];
    const of = stages.length * (tests.length + 1);
    let done = 0;
    const blocks: number[][] = [];
    for (const tasks of stages) {
      const row = await run.after(tasks, async (model) => {
        const features = await run.with(run.train, async (images) => featuresOf(model, images));
        const probe = await LinearProbe.fit(features, run.train.labels, classes.length, STABILITY);
        features.dispose();
        tell(++done, of);
        const accuracies: number[] = [];
        for (const test of tests) {
          const own = await run.with(test, async (images) => featuresOf(model, images));
          const said = await probe.predict(own);
          own.dispose();
          accuracies.push((100 * said.filter((label, i) => label === test.labels[i]).length) / said.length);
          tell(++done, of);
        }
        probe.dispose();
        return accuracies;
      });
      blocks.push(row.map(short));
    }
    const sizes = tests.map(({ labels }) => labels.length);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const accuracy = blocks.map((row) => short(row.reduce((sum, one, i) => sum + one * sizes[i]!, 0) / all));
    return { stages, accuracy, blocks };
  },
};

const LANDSCAPE = { points: 17, extent: 1 };

const landscape: Measure<'landscape'> = {
  settings: (run) => ({ ...drawn(run), ...LANDSCAPE }),
  measure: (run, tell) =>
    run.with(run.train, async (images) => {
      const { engine, model, seed } = run;
      const { points, extent } = LANDSCAPE;
      const parts = run.loss(images);
      const step = capture(engine, () => sumOf(engine, parts));
      const plane = new LossLandscape(model, step, { points, extent, seed });
      try {
        for (const { done, total } of plane.evaluate()) {
          // No more is asked for than is done within a moment.
          await engine.sync();
          tell(done, total);
        }
        const losses = await plane.losses.data();
        const rows = Array.from({ length: points }, (_, row) => [...losses.subarray(row * points, (row + 1) * points)]);
        return { extent, losses: rows.map((row) => row.map(orNone)) };
      } finally {
        plane.dispose();
        step.dispose();
      }
    }),
};

/** By name. */
export const measures: { readonly [K in AnalysisName]: Measure<K> } = {
  hessian,
  sharpness,
  classifier,
  drift,
  stability,
  landscape,
};
