/** What a method teaches on a batch of six images before eight classes, six of them old: its first phase's loss, on logits alone. */
import * as assert from 'uvu/assert';
import { Disposables } from '../../src/continual/disposables.ts';
import type { AnyMethod, Batch, Phase, Task } from '../../src/continual/method.ts';
import { readSettings } from '../../src/continual/setting.ts';
import { crossEntropy, type Tensor } from '../../src/index.ts';
import { Random } from '../../src/tensor/random.ts';
import { engine, leaf, uniform } from './engine.ts';

const n = 6;
export const oldTaskSizes: readonly number[] = [2, 1, 3];
export const newClasses = 2;
export const oldClasses = 6;
export const classes = oldClasses + newClasses;
const labels = Int32Array.of(0, 3, 5, 6, 7, 7);
export const targets = engine.tensor(labels);
const logitsData = uniform(n * classes, 1, -3, 3);
export const oldLogits = engine.tensor(uniform(n * oldClasses, 2, -3, 3), [n, oldClasses]);
export const featuresOf = (seed: number) => engine.tensor(uniform(n * 5, seed), [n, 5]);
export const stagesOf = (seed: number) => [engine.tensor(uniform(n * 8, seed), [n, 2, 2, 2])];

/** The first phase of a task with such classes. */
export async function phaseOf(
  method: AnyMethod,
  given: object = {},
  changes: object = {},
): Promise<Phase & Disposable> {
  const held = new Disposables();
  const task = {
    engine,
    index: 3,
    settings: readSettings(method.settings, given, 'test', method.name),
    training: { labelSmoothing: 0 },
    model: { classifier: { scale: engine.tensor([3]), freezeOld: () => {} } },
    old: {},
    oldTaskSizes,
    oldClasses,
    newClasses,
    fresh: [3, 4, 5],
    exemplars: [0, 1, 2],
    labels,
    random: (...purpose: (string | number)[]) => Random.of(8, ...purpose),
    hold: <T extends { dispose(): void }>(one: T): T => held.add(one),
    release: <T extends { dispose(): void }>(one: T): T => held.release(one),
    ...changes,
  } as unknown as Task;
  for await (const phase of method.learn(task)) return { ...phase, [Symbol.dispose]: () => held.dispose() };
  return assert.unreachable('there was no phase') as never;
}

/** Value and gradient of a loss at the logits. */
export async function at(loss: (logits: Tensor) => Tensor): Promise<{ value: number; gradient: number[] }> {
  const logits = leaf(logitsData, [n, classes]);
  const result = loss(logits);
  result.backward();
  return { value: await result.item(), gradient: [...((await logits.grad?.data()) ?? [])] };
}

/** As a method sees it: logits alone, so that whoever asks for more than them fails. */
export const batchOf = (logits: Tensor): Batch =>
  ({
    ...{ logits, targets, oldLogits },
    outputs: { logits, cosines: logits.mul(0.2) },
    oldOutputs: { logits: oldLogits },
  }) as unknown as Batch;

export const ce = (logits: Tensor) => crossEntropy(logits, targets);
export const share = oldClasses / classes;
