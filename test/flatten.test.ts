/** Between a convolution and a linear layer: the order of features, which is PyTorch's unless asked otherwise. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  Conv2d,
  Flatten,
  type FlattenOptions,
  Linear,
  loadWeights,
  Sequential,
  type StateDict,
  writeSafetensors,
} from '../src/index.ts';
import { engine, errorOf, near, relativeL2, uniform } from './support/engine.ts';

/** Convolution 2×2 of one 3×3 image of 2 channels to 3, flattened, linear to 2: PyTorch's definition, in float64. */
function torchNetwork(image: ArrayLike<number>, state: StateDict): number[] {
  const at = (name: string, i: number) => state.get(name)!.data[i]!;
  const features: number[] = [];
  for (let o = 0; o < 3; o++)
    for (let r = 0; r < 2; r++)
      for (let c = 0; c < 2; c++) {
        let total = at('0.bias', o);
        for (let i = 0; i < 2; i++)
          for (let a = 0; a < 2; a++)
            for (let b = 0; b < 2; b++)
              total += image[(i * 3 + r + a) * 3 + c + b]! * at('0.weight', ((o * 2 + i) * 2 + a) * 2 + b);
        features.push(total);
      }
  return [0, 1].map((k) => features.reduce((sum, f, i) => sum + f * at('2.weight', k * 12 + i), at('2.bias', k)));
}

test('a convolution, flattened, and a linear layer give with PyTorch’s weights what PyTorch gives', async () => {
  const shapes = { '0.weight': [3, 2, 2, 2], '0.bias': [3], '2.weight': [2, 12], '2.bias': [2] };
  const state: StateDict = new Map(
    Object.entries(shapes).map(([name, shape], i) => {
      const data = uniform(
        shape.reduce((a, b) => a * b),
        40 + i,
      );
      return [name, { shape, data }];
    }),
  );
  const bytes = writeSafetensors([...state].map(([name, entry]) => [name, { dtype: 'F32', ...entry }] as const));
  const model = (order?: FlattenOptions['order']) => {
    const made = new Sequential(
      engine,
      new Conv2d(engine, 2, 3, 2),
      new Flatten(engine, order ? { order } : {}),
      new Linear(engine, 12, 2),
    );
    loadWeights(made, bytes, 'torch.safetensors');
    return made;
  };
  const image = uniform(18, 50);
  const nhwc = engine.tensor(image, [1, 2, 3, 3]).transpose([0, 2, 3, 1]);
  const expected = torchNetwork(image, state);
  await near(model().forward(nhwc), expected, 1e-6);
  assert.ok(relativeL2(await model('hwc').forward(nhwc).data(), expected) > 0.1);
});

test('flattening keeps an order, and gradients come back through it', async () => {
  const x = engine.tensor(uniform(2 * 3 * 2 * 4, 1), [2, 3, 2, 4]);
  const channelsFirst = (values: Float64Array) =>
    Float64Array.from(values, (_, i) => {
      const [n, c, pixel] = [Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6];
      return values[n * 24 + pixel * 4 + c]!;
    });
  await gradcheck((t) => new Flatten(engine).forward(t), channelsFirst, [x]);
  await gradcheck(
    (t) => new Flatten(engine, { order: 'hwc' }).forward(t),
    (values) => values.slice(),
    [x],
  );
  const launches = (shape: number[], order?: FlattenOptions['order']) => {
    const input = engine.zeros(shape);
    const before = engine.memory().dispatches;
    assert.equal(new Flatten(engine, order ? { order } : {}).forward(input).shape, [2, input.size / 2]);
    return engine.memory().dispatches - before;
  };
  assert.is(launches([2, 3, 2, 4]), 1);
  assert.is(launches([2, 3, 2, 4], 'hwc'), 0);
  for (const shape of [
    [2, 1, 1, 4],
    [2, 3, 2, 1],
    [2, 5],
    [2, 3, 4],
  ])
    assert.is(launches(shape), 0);
  const wrong = { order: 'whc' } as unknown as FlattenOptions;
  assert.match(errorOf(() => new Flatten(engine, wrong)).message, /Flatten: order must be chw or hwc, not whc/);
});

test.run();
