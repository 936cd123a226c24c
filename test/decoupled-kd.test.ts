/** Decoupled knowledge distillation (Zhao et al. 2022), a baseline of offline compression. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decoupledKD, decoupledKDParts } from '../src/entries/methods.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { engine, near, uniform } from './support/engine.ts';
import * as rows from './support/rows.ts';

const [n, classes] = [5, 7];
const logits = engine.tensor(uniform(n * classes, 1, -3, 3), [n, classes]);
const targetList = [0, 6, 3, 4, 1];
const targets = engine.tensor(Int32Array.from(targetList));
const labels = (...values: number[]) => engine.tensor(Int32Array.from(values));

test('decoupled distillation splits the right class from the rest', async () => {
  const data = uniform(n * classes, 10, -6, 6);
  const full = engine.tensor(data, [n, classes]);
  const split = (row: readonly number[], y: number) => {
    const others = row.filter((_, c) => c !== y).map((v) => v / 4);
    return { binary: [row[y]! / 4, rows.logSumExp(others)], others };
  };
  for (const [alpha, beta] of [
    [1, 8],
    [1, 0],
    [0, 1],
  ] as const) {
    await gradcheck(
      (z) => decoupledKD(z, full, targets, { alpha, beta }),
      (z) => [
        16 *
          rows.mean(
            rows.rowsOf(z!, classes).map((row, i) => {
              const [s, t] = [row, rows.rowsOf(data, classes)[i]!].map((of) => split(of, targetList[i]!));
              return alpha * rows.divergence(t!.binary, s!.binary) + beta * rows.divergence(t!.others, s!.others);
            }),
          ),
      ],
      [logits],
    );
  }
});

test('decoupled distillation of two classes has no other part, stays finite for sure logits, and needs two', async () => {
  const pair = engine.tensor([[200, -200]]);
  pair.requiresGrad = true;
  const sure = engine.tensor([[-200, 200]]);
  const { other } = decoupledKDParts(pair, sure, labels(0));
  assert.is(await other.item(), 0);
  const loss = decoupledKD(pair, sure, labels(0));
  loss.backward();
  assert.ok([...((await pair.grad?.data()) ?? [Number.NaN])].every(Number.isFinite));
  const value = await loss.item();
  await near(engine.tensor([value]), [16 * 100], 1e-6);
  assert.throws(() => decoupledKD(engine.zeros([1, 1]), engine.zeros([1, 1]), labels(0)), /at least 2 classes/);
});

test.run();
