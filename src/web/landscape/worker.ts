/** The thread that trains, evaluates and draws: the device is here, and so is the drawing. */
import { capture, crossEntropy, Engine, noGrad, type Tensor } from 'engram';
import { LossLandscape } from 'engram/analysis';
import type { Benchmark } from 'engram/benchmark';
import { failureOf } from '../shared/failure.ts';
import { onceAFrame } from '../shared/once-a-frame.ts';
import { patiently } from '../shared/patiently.ts';
import { Lockstep } from '../watch/lockstep.ts';
import type { Begun } from '../watch/protocol.ts';
import { benchmarksOf, dataOf, type Run, runsIn, runsOf } from '../watch/runs.ts';
import { USUAL_CAMERA } from './camera.ts';
import type { Command, Told } from './protocol.ts';
import { Surface, surfacePipeline } from './surface.ts';
import source from './surface.wgsl?raw';

/** Points along each side, and test pictures at most that each is evaluated on, by what the device is good for. */
const SIZES = { hardware: { points: 33, images: 200 }, software: { points: 17, images: 40 } } as const;
/** Points of each learner between two drawings. */
const AT_ONCE = 4;

const sizeFor = ({ adapterKind }: Engine) => SIZES[adapterKind === 'hardware' ? 'hardware' : 'software'];

const tell = (told: Told): void => postMessage(told);

let camera = USUAL_CAMERA;
let giveCanvases: (canvases: readonly OffscreenCanvas[]) => void = () => {};
let drawAll: () => void = () => {};
let canvases: readonly OffscreenCanvas[] = [];

const redraw = onceAFrame(() => drawAll());

async function learn(benchmarks: readonly Benchmark[]): Promise<Begun> {
  const lockstep = new Lockstep(benchmarks);
  const begun = await lockstep.begun(false);
  const given = new Promise<readonly OffscreenCanvas[]>((give) => {
    giveCanvases = give;
  });
  tell({ type: 'begun', adapter: begun.adapter, learners: begun.learners, tasks: begun.taskSizes.length });
  canvases = await given;
  for await (const told of lockstep.run(begun, false)) {
    if (told.type === 'stepped') tell({ type: 'learning', task: told.task, done: told.done });
  }
  for (const [learner, { summary }] of benchmarks.entries()) tell({ type: 'learnt', learner, accuracy: summary.last });
  return begun;
}

/** Test pictures of all classes, as many of each, normalised as the learner does. */
function batchOf({ learner, engine }: Benchmark, { pictures, labels }: Begun): { images: Tensor; targets: Tensor } {
  const stride = Math.ceil(labels.length / sizeFor(engine).images);
  const chosen = [...labels.keys()].filter((at) => at % stride === 0);
  const { height, width, channels, data } = pictures;
  const { mean, std } = learner.imageFormat as NonNullable<typeof learner.imageFormat>;
  const size = height * width * channels;
  const pixels = new Float32Array(chosen.length * size);
  for (const [row, at] of chosen.entries()) {
    for (let i = 0; i < size; i++) {
      const value = (data[at * size + i] as number) / 255;
      pixels[row * size + i] = (value - (mean[i % channels] as number)) / (std[i % channels] as number);
    }
  }
  return {
    images: engine.tensor(pixels, [chosen.length, height, width, channels]),
    targets: engine.tensor(Int32Array.from(chosen, (at) => labels[at] as number)),
  };
}

function landscapeOf(benchmark: Benchmark, { images, targets }: { images: Tensor; targets: Tensor }): LossLandscape {
  const { engine, learner } = benchmark;
  const model = learner.model as NonNullable<typeof learner.model>;
  model.eval();
  const loss = capture(engine, () => noGrad(engine, () => crossEntropy(model.forward(images), targets)));
  return new LossLandscape(model, loss, { points: sizeFor(engine).points });
}

async function look(runs: readonly Run[]): Promise<void> {
  const split = await dataOf(runs);
  const engine = await patiently(() => Engine.create());
  const benchmarks = await benchmarksOf(engine, split, runs);
  const begun = await learn(benchmarks);
  const batches = benchmarks.map((benchmark) => batchOf(benchmark, begun));
  const landscapes = benchmarks.map((benchmark, at) => landscapeOf(benchmark, batches[at] as (typeof batches)[number]));
  const format = navigator.gpu.getPreferredCanvasFormat();
  const pipeline = surfacePipeline(engine.device, format, source);
  const contexts = canvases.map((canvas) => {
    const context = canvas.getContext('webgpu') as GPUCanvasContext;
    context.configure({ device: engine.device, format, alphaMode: 'premultiplied' });
    return context;
  });
  await engine.flush();
  const surfaces = landscapes.map(({ losses }) => new Surface(losses, pipeline, format));
  const strides: (number | null)[] = landscapes.map(() => null);
  drawAll = () => {
    for (const [at, surface] of surfaces.entries()) {
      const stride = strides[at];
      if (stride) surface.draw((contexts[at] as GPUCanvasContext).getCurrentTexture(), camera, stride);
    }
  };
  const ways = landscapes.map((landscape) => landscape.evaluate());
  const images = (batches[0] as (typeof batches)[number]).targets.size;
  for (let isOver = false; !isOver; ) {
    for (const [at, way] of ways.entries()) {
      for (let i = 0; i < AT_ONCE; i++) {
        const { value, done } = way.next();
        isOver = done === true;
        if (!value) break;
        strides[at] = value.stride;
        const { done: points, total } = value;
        if (at === 0) tell({ type: 'evaluated', done: points, total, points: Math.sqrt(total), images });
      }
    }
    await engine.flush();
    redraw();
    // Ahead of the device by no more than this.
    await engine.device.queue.onSubmittedWorkDone();
  }
  // What failed on the device is told by the first wait.
  await engine.sync();
  redraw();
  tell({ type: 'finished' });
}

async function begin(prepare: () => readonly Run[]): Promise<void> {
  try {
    await look(prepare());
  } catch (error) {
    tell({ type: 'failed', ...failureOf(error) });
  }
}

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  switch (command.type) {
    case 'start':
      return void begin(() => runsOf(command.experiment));
    case 'open':
      return void begin(() => runsIn(command.files).runs);
    case 'canvases':
      return giveCanvases(command.canvases);
    case 'camera':
      camera = command.camera;
      return redraw();
    case 'size':
      Object.assign(canvases[command.learner] ?? {}, command.size);
      return redraw();
  }
});
