/**
 * What a task costs by each method: the second of two, from its images to the new exemplars, phases after the first included. Of
 * the shape of the accuracy protocols: ResNet-8 on 28×28 pixels, 15 epochs, five new images for every exemplar.
 */
import { environmentOptions } from '../../src/cli/environment.ts';
import { ContinualLearner } from '../../src/continual/learner.ts';
import { METHOD_NAMES, type MethodName, methods } from '../../src/continual/methods/index.ts';
import type { ImageBytes } from '../../src/data/image-bytes.ts';
import { Engine } from '../../src/tensor/engine.ts';
import { Random } from '../../src/tensor/random.ts';
import type { ProcessCase, ProcessResult, TimingOptions } from '../bench-case.ts';
import { summarize } from '../bench-timing.ts';

const [SIZE, CLASSES, PER_CLASS, EXEMPLARS] = [28, 5, 20, 20];

/** Images of the classes of a task: noise, which costs what others cost. */
function imagesOf(task: number): Map<string, ImageBytes> {
  const one = (label: number): ImageBytes => {
    const random = Random.of(1, 'images', label);
    const data = Uint8Array.from({ length: PER_CLASS * SIZE * SIZE }, () => random.int(256));
    return { data, count: PER_CLASS, height: SIZE, width: SIZE, channels: 1 };
  };
  return new Map(Array.from({ length: CLASSES }, (_, i) => [`${task * CLASSES + i}`, one(task * CLASSES + i)]));
}

async function learn(learner: ContinualLearner, task: number): Promise<void> {
  for await (const _ of learner.learn(imagesOf(task)));
}

async function measure(name: MethodName, { samples = 3 }: TimingOptions): Promise<ProcessResult> {
  const method = methods[name];
  // Random draws are as fast whatever the learning rate: a low one keeps noise from diverging.
  const settings = { method, model: 'resnet8' as const, epochs: 15, batch: 32, lr: 0.001, memory: EXEMPLARS };
  const engine = await Engine.create(environmentOptions());
  const first = await ContinualLearner.create(engine, settings);
  await learn(first, 0);
  const saved = await first.save();
  first.dispose();
  const taken: { wall: number; cpu: number }[] = [];
  // The first one compiles.
  for (let i = -1; i < samples; i++) {
    const learner = await ContinualLearner.load(engine, saved, { method });
    const [started, used] = [performance.now(), process.cpuUsage()];
    await learn(learner, 1);
    const { user, system } = process.cpuUsage(used);
    if (i >= 0) taken.push({ wall: performance.now() - started, cpu: (user + system) / 1000 });
    learner.dispose();
  }
  await engine.destroy();
  return summarize(taken);
}

/** `kd` first: it is what the others are compared with. */
const names = ['kd', ...METHOD_NAMES.filter((name) => name !== 'kd')] as const;

export const methodCases: readonly ProcessCase[] = names.map((name) => ({
  name: `methods/${name}`,
  onlyNamed: true,
  ...(name === 'kd' ? {} : { versus: 'methods/kd' }),
  measure: (options) => measure(name, options),
}));
