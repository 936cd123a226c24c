/** Gradients of gradients, against differences of float64 references. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  backward,
  binary,
  clamp,
  concat,
  crossEntropy,
  gather,
  linear,
  matmul,
  normalize,
  pad,
  recordedGradients,
  scatterAdd,
  slice,
  type Tensor,
  unary,
  where,
} from '../src/index.ts';
import { secondDerivatives } from '../src/ops/elementwise/second-derivatives.ts';
import { binaryOps, type TableOp, unaryOps } from '../src/ops/elementwise/table.ts';
import { checkTwice } from './support/check-twice.ts';
import { engine, uniform } from './support/engine.ts';
import * as rows from './support/rows.ts';

const { rowsOf, sum } = rows;
const tables: Readonly<Record<string, TableOp>> = { ...unaryOps, ...binaryOps };

for (const name of Object.keys(secondDerivatives).filter((one) => one in tables)) {
  test(`${name} is differentiated twice`, async () => {
    const { reference, domain = [-2, 2], operands } = tables[name]!;
    const shapes = operands.length === 1 ? [[2, 3]] : [[2, 3], [3]];
    const inputs = shapes.map((shape, i) =>
      engine.tensor(
        uniform(
          shape.reduce((a, b) => a * b),
          5 + i,
          ...domain,
        ),
        shape,
      ),
    );
    const apply = operands.length === 1 ? unary[name as keyof typeof unary] : binary[name as keyof typeof binary];
    const weights = uniform(6, 3);
    await checkTwice(
      // A cube, so that what is linear has a second derivative too.
      (...x) => {
        const y = (apply as (...x: Tensor[]) => Tensor)(...x);
        return y
          .square()
          .mul(y)
          .mul(engine.tensor(weights, [2, 3]))
          .sum();
      },
      (a, b) => sum([...a!].map((x, i) => weights[i]! * Number(b ? reference(x, b[i % 3]!) : reference(x)) ** 3)),
      inputs,
    );
  });
}

test('numbers among the operands are differentiated around', async () => {
  const x = engine.tensor([0.5, 2, -1]);
  await checkTwice(
    (t) => binary.div(1, t.square().add(2)).sub(t.mul(3)).sum(),
    (t) => sum([...t!].map((v) => 1 / (v * v + 2) - 3 * v)),
    [x],
  );
});

for (const [transposeA, transposeB] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const) {
  test(`a product is differentiated twice${transposeA ? ', its left transposed' : ''}${transposeB ? ', its right transposed' : ''}`, async () => {
    const a = engine.tensor(uniform(6, 1), transposeA ? [3, 2] : [2, 3]);
    const b = engine.tensor(uniform(12, 2), transposeB ? [4, 3] : [3, 4]);
    const at = (
      m: ArrayLike<number>,
      row: number,
      column: number,
      columns: number,
      rowsCount: number,
      flip: boolean,
    ) => (flip ? m[column * rowsCount + row]! : m[row * columns + column]!);
    await checkTwice(
      (x, y) => matmul(x!, y!, { transposeA, transposeB }).square().sum(),
      (x, y) => {
        let total = 0;
        for (let r = 0; r < 2; r++)
          for (let c = 0; c < 4; c++)
            total += sum([0, 1, 2].map((k) => at(x!, r, k, 3, 2, transposeA) * at(y!, k, c, 4, 3, transposeB))) ** 2;
        return total;
      },
      [a, b],
    );
  });
}

test('a perceptron with a softmax is differentiated twice: linear layers, means, views, transposes, cross entropy', async () => {
  const [n, size, hidden, classes] = [4, 3, 5, 3];
  const data = uniform(n * size, 1);
  const x = engine.tensor(data, [n, size]);
  const targets = [0, 2, 1, -1];
  const labels = engine.tensor(Int32Array.from(targets));
  const shapes = [[size, hidden], [hidden], [classes, hidden]];
  const inputs = shapes.map((shape, i) =>
    engine.tensor(
      uniform(
        shape.reduce((a, b) => a * b),
        10 + i,
      ),
      shape,
    ),
  );
  const logitsOf = (w: ArrayLike<number>, b: ArrayLike<number>, v: ArrayLike<number>) =>
    rowsOf(data, size).map((row) => {
      const inner = Array.from({ length: hidden }, (_, j) =>
        Math.tanh(b[j]! + sum(row.map((r, i) => r * w[i * hidden + j]!))),
      );
      return rowsOf(v, hidden).map((to) => rows.dot(inner, to));
    });
  for (const labelSmoothing of [0, 0.2]) {
    await checkTwice(
      (w, b, v) => {
        const logits = linear(linear(x, w!, b).tanh(), v!.transpose());
        return crossEntropy(logits, labels, { labelSmoothing }).add(
          logits.softmax().reshape([2, 6]).square().mean(0).sum(),
        );
      },
      (w, b, v) => {
        const logits = logitsOf(w!, b!, v!);
        const losses = logits.map((row, i) => {
          const log = rows.logSoftmax(row);
          const y = targets[i]!;
          return y < 0 ? 0 : -(1 - labelSmoothing) * log[y]! - (labelSmoothing / classes) * sum(log);
        });
        return sum(losses) / 3 + sum(logits.flatMap((row) => rows.softmax(row).map((p) => p ** 2))) / 2;
      },
      inputs,
    );
  }
  await checkTwice(
    (w, b, v) =>
      linear(linear(x, w!, b).tanh(), v!.transpose())
        .logSoftmax(0)
        .square()
        .sum(),
    (w, b, v) => {
      const logits = logitsOf(w!, b!, v!);
      return sum([0, 1, 2].flatMap((c) => rows.logSoftmax(logits.map((row) => row[c]!)).map((value) => value ** 2)));
    },
    inputs,
  );
  await checkTwice(
    (w, b, v) =>
      crossEntropy(linear(linear(x, w!, b).tanh(), v!.transpose()), labels, { reduction: 'none' })
        .square()
        .sum(),
    (w, b, v) =>
      sum(logitsOf(w!, b!, v!).map((row, i) => (targets[i]! < 0 ? 0 : rows.logSoftmax(row)[targets[i]!]! ** 2))),
    inputs,
  );
});

/** Sum of cubes, so that what is linear has a second derivative too. */
const cubed = (y: Tensor) => y.square().mul(y).sum();
const cubes = (values: Iterable<number>) => sum([...values].map((x) => x ** 3));

test('what moves elements is differentiated twice: slices, padding, joins', async () => {
  const [a, b] = [engine.tensor(uniform(12, 1), [3, 4]), engine.tensor(uniform(6, 2), [3, 2])];
  await checkTwice(
    (x) =>
      cubed(
        slice(x!, [
          [0, 3, 2],
          [null, null, -1],
        ]),
      ),
    (x) => cubes([...x!].filter((_, i) => i < 4 || i >= 8)),
    [a],
  );
  await checkTwice(
    (x) =>
      cubed(
        pad(
          x!,
          [
            [1, 0],
            [0, 2],
          ],
          0.5,
        ),
      ),
    (x) => cubes(x!),
    [a],
  );
  await checkTwice(
    (x, y) => {
      const joined = concat([x!, y!, x!], 1);
      return joined
        .square()
        .mul(joined.sum(1, { keepDims: true }))
        .sum();
    },
    (x, y) =>
      sum(
        rowsOf(x!, 4).map((row, i) => {
          const all = [...row, ...rowsOf(y!, 2)[i]!, ...row];
          return sum(all.map((v) => v ** 2)) * sum(all);
        }),
      ),
    [a, b],
  );
});

test('picking by index and adding up by index are differentiated twice', async () => {
  const rowsAt = [2, 0, 2];
  await checkTwice(
    (x) => cubed(gather(x!, engine.tensor(Int32Array.from(rowsAt)))),
    (x) => cubes(rowsAt.flatMap((row) => rowsOf(x!, 2)[row]!)),
    [engine.tensor(uniform(6, 1), [3, 2])],
  );
  const places = [1, 1, 0];
  await checkTwice(
    (x, y) => cubed(scatterAdd(x!, engine.tensor(Int32Array.from(places)), y!)),
    (x, y) => cubes([...x!].map((v, i) => v + sum(places.flatMap((place, j) => (place === i ? [y![j]!] : []))))),
    [engine.tensor(uniform(2, 2)), engine.tensor(uniform(3, 3))],
  );
});

test('choices, limits and directions are differentiated twice, and vectors without one are zero', async () => {
  const values = [0.5, -1.5, 2.5, -0.25, 1.2, -3, 0, 0, 0];
  const x = () => engine.tensor(values, [3, 3]);
  await checkTwice(
    (t) => cubed(where(t!.greater(0), t!.square(), t!.mul(2))),
    (t) => cubes([...t!].map((v) => (v > 0 ? v * v : 2 * v))),
    [x()],
  );
  await checkTwice(
    (t) => cubed(clamp(t!, -2, 1)),
    (t) => cubes([...t!].map((v) => Math.min(1, Math.max(-2, v)))),
    [x()],
  );
  const weights = uniform(9, 4);
  await checkTwice(
    (t) => cubed(normalize(t!).mul(engine.tensor(weights, [3, 3]))),
    (t) =>
      sum(
        rowsOf(t!, 3).map((row, i) => {
          const length = Math.sqrt(sum(row.map((v) => v * v)));
          // Its last row has no direction, to this side of which differences would step.
          return i === 2 ? 0 : cubes(row.map((v, j) => (v / length) * weights[3 * i + j]!));
        }),
      ),
    [x()],
  );
});

test('a leaf that takes no part has a gradient of zeros, and grad is left alone', async () => {
  const [x, other] = [engine.tensor([1, 2]), engine.tensor([3])];
  for (const leaf of [x, other]) leaf.requiresGrad = true;
  const [g, none] = recordedGradients(x.square().sum(), [x, other]);
  assert.equal([...(await g!.data()), ...(await none!.data())], [2, 4, 0]);
  assert.is(x.grad, null);
});

test('what has no second derivative, or is no scalar, is refused by name', () => {
  const x = engine.tensor([1, 2]);
  assert.throws(() => recordedGradients(x.sum(), [x]), /takes a scalar that depends on a leaf/);
  x.requiresGrad = true;
  assert.throws(() => recordedGradients(x.mul(2), [x]), /takes a scalar .* was given \[2\]/);
  assert.throws(() => recordedGradients(x.sin().sum(), [x]), /the gradient of sin has no gradient itself/);
  assert.throws(() => recordedGradients(matmul(x.reshape([1, 2]), engine.ones([3, 2, 1])).sum(), [x]), /matmul/);
  backward(x.sin().sum());
});

test.run();
