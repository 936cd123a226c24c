/**
 * The memory of a training step: the most that is live at once, what is kept for the backward pass, and what the
 * recorded step holds on to.
 */

import type { Engine, RecordedMemory } from '../../src/index.ts';
import { capture } from '../../src/index.ts';
import { createResNet, type ResNetOptions } from '../../src/nn/resnet.ts';
import { crossEntropy } from '../../src/ops/cross-entropy.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { labels, noise } from '../bench-case.ts';

const BATCH = 128;
const CLASSES = 10;

export interface MemoryResult {
  /** Most bytes live at once, with the parameters, their gradients and the optimizer's state. */
  readonly peakBytes: number;
  /**
   * Bytes that the backward pass cannot do without: what is there for it when the forward pass has ended; with
   * checkpointing, when the widest block has been made again.
   */
  readonly keptBytes: number;
  readonly plan: RecordedMemory;
}

export interface MemoryCase {
  readonly name: string;
  /** What the device must have for it; it is left out where that is missing. */
  readonly needs?: GPUFeatureName;
  weigh(engine: Engine): Promise<MemoryResult>;
}

/** A step on 32×32×3 images with SGD and momentum. */
async function weighStep(engine: Engine, options: Partial<ResNetOptions> = {}): Promise<MemoryResult> {
  const model = createResNet(engine, 'resnet20', { classes: CLASSES, seed: 1, ...options });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const images = engine.keep(noise(engine, [BATCH, 32, 32, 3]));
  const targets = engine.keep(labels(engine, BATCH, CLASSES));
  let keptBytes = 0;
  let before = 0;
  const note = () => {
    keptBytes = Math.max(keptBytes, engine.memory().liveBytes - before);
  };
  for (const layer of [model.layer1, model.layer2, model.layer3]) {
    for (const block of layer.modules) {
      const forward = block.forward.bind(block);
      block.forward = (x) => {
        const y = forward(x);
        note();
        return y;
      };
    }
  }
  const step = () => {
    before = engine.memory().liveBytes;
    const loss = crossEntropy(model.forward(images), targets);
    note();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
  };
  const captured = capture(engine, step);
  engine.resetPeak();
  captured();
  const { peakBytes } = engine.memory();
  await engine.sync();
  captured();
  const result = { peakBytes, keptBytes, plan: captured.memory };
  await engine.sync();
  captured.dispose();
  for (const owner of [optimizer, model, images, targets]) owner.dispose();
  return result;
}

export const memoryCases: readonly MemoryCase[] = [
  { name: 'memory/resnet20', weigh: (engine) => weighStep(engine) },
  { name: 'memory/resnet20/checkpointed', weigh: (engine) => weighStep(engine, { gradientCheckpointing: true }) },
  {
    name: 'memory/resnet20/f16',
    needs: 'shader-f16',
    weigh: (engine) => weighStep(engine, { precision: 'f16' }),
  },
];

export function memoryJson(name: string, { peakBytes, keptBytes, plan }: MemoryResult, adapter: string): string {
  const ratio = Number((peakBytes / keptBytes).toPrecision(4));
  return JSON.stringify({
    name,
    peakBytes,
    keptBytes,
    ratio,
    plan,
    adapter,
    date: new Date().toISOString().slice(0, 10),
  });
}

const mebi = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export const memoryLine = (name: string, { peakBytes, keptBytes, plan }: MemoryResult, width: number): string =>
  `${name.padEnd(width)} ${mebi(peakBytes)} at most, ${(peakBytes / keptBytes).toFixed(2)} × the ${mebi(keptBytes)} kept for the backward pass; ` +
  `recorded ${mebi(plan.bytes)} in ${plan.buffers} buffers, at least ${mebi(plan.leastBytes)}, without reuse ${mebi(plan.bytesWithoutReuse)}`;
