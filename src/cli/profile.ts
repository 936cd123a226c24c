/** `engram profile`: a training step's kernels on this adapter, from timestamp queries, as a table and as a trace. */
import picocolors from 'picocolors';
import { files } from '#files';
import '../tensor/capture.ts';
import { backward } from '../autograd/tape.ts';
import type { Engine } from '../gpu/engine.ts';
import { ConfigError } from '../gpu/errors.ts';
import type { Profile } from '../gpu/profiler.ts';
import { createResNet, isResNetName } from '../nn/resnet.ts';
import { crossEntropy } from '../ops/cross-entropy.ts';
import '../ops/random.ts';
import { SGD } from '../optim/sgd.ts';
import { kernelTimes } from '../report/kernel-times.ts';
import { kernelTable } from '../report/table.ts';
import { traceEvents } from '../report/trace.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withEngine } from './with-engine.ts';

export interface ProfileOptions {
  model: string;
  width?: number;
  batch: number;
  size: number;
  channels: number;
  classes: number;
  steps: number;
  trace?: string;
  json?: boolean;
}

/** Forward, cross entropy, backward and SGD with momentum on one batch of random images. */
function trainingStep(engine: Engine, options: ProfileOptions): () => Tensor {
  const { model: name, width, batch, size, channels, classes } = options;
  if (!isResNetName(name)) {
    throw new ConfigError({
      where: '--model',
      message: `"${name}" is no network.`,
      fix: 'Choose resnet8, resnet20, resnet32, … (depth 6n + 2), resnet18 or resnet34.',
    });
  }
  const model = createResNet(engine, name, { classes, inChannels: channels, ...(width ? { width } : {}) });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const images = engine.keep(engine.normal([batch, size, size, channels], { from: { seed: 1 } }));
  const targets = engine.keep(engine.tensor(Int32Array.from({ length: batch }, (_, i) => i % classes)));
  return () => {
    const loss = crossEntropy(model.forward(images), targets);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
}

const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

interface Measured {
  readonly profiles: readonly Profile[];
  /** One step run anew instead of replayed. */
  readonly anew: Profile;
}

async function measure(engine: Engine, options: ProfileOptions): Promise<Measured> {
  const step = trainingStep(engine, options);
  const replayed = engine.capture(step);
  const once = () => engine.scope(() => void replayed());
  // The first call compiles, the second records.
  for (let i = 0; i < 3; i++) {
    once();
    await engine.sync();
  }
  const profiles: Profile[] = [];
  for (let i = 0; i < options.steps; i++) profiles.push(await engine.profile(once));
  return { profiles, anew: await engine.profile(() => engine.scope(() => void step())) };
}

/** @throws ConfigError, AdapterError (no timestamp queries) */
export async function profile(options: ProfileOptions): Promise<void> {
  await withEngine(
    async (engine) => {
      const { profiles, anew } = await measure(engine, options);
      const kernels = kernelTimes(profiles.map(({ launches }) => launches));
      const ms = kernels.reduce((sum, kernel) => sum + kernel.ms, 0);
      const gflops = anew.launches.reduce((sum, { flops }) => sum + (flops ?? 0), 0) / ms / 1e6;
      const javascript = Math.min(...profiles.map((p) => p.javascript));
      const launches = anew.launches.length;
      if (options.trace) await files.write(options.trace, traceEvents(profiles, engine.adapterDescription));
      if (options.json) {
        for (const kernel of kernels) console.log(JSON.stringify(kernel, rounded));
        const step = { ms, launches, gflops, javascript, javascriptAnew: anew.javascript };
        console.log(JSON.stringify({ step, adapter: engine.adapterDescription }, rounded));
        return;
      }
      console.log(kernelTable(kernels));
      console.log(
        `a step    ${picocolors.bold(`${ms.toFixed(2)} ms`)} of kernels in ${launches} launches, ${gflops.toFixed(1)} GFLOP/s; ` +
          `JavaScript ${javascript.toFixed(2)} ms replayed, ${anew.javascript.toFixed(2)} ms run anew`,
      );
      if (options.trace) console.log(`trace     ${options.trace} (ui.perfetto.dev opens it)`);
    },
    { quiet: options.json ?? false },
  );
}
