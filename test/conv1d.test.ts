/** Convolution of sequences, beside a float64 one by plain loops, and its layer beside PyTorch's shapes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { ArgumentError, Conv1d, Conv2d, conv1d, loadStateDict, ShapeError, stateDict } from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';

interface Case {
  /** [n, length, in] */
  x: readonly [number, number, number];
  outChannels: number;
  kernel: number;
  stride: number;
  /** Before and behind. */
  padding: readonly [number, number];
  dilation: number;
  groups: number;
}

const lengthOf = ({ x, kernel, stride, padding, dilation }: Case): number =>
  Math.floor((x[1] + padding[0] + padding[1] - dilation * (kernel - 1) - 1) / stride) + 1;

function loops(c: Case, x: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array {
  const [n, length, channels] = c.x;
  const [inGroup, outGroup, outLength] = [channels / c.groups, c.outChannels / c.groups, lengthOf(c)];
  return Float64Array.from({ length: n * outLength * c.outChannels }, (_, at) => {
    const o = at % c.outChannels;
    const i = Math.floor(at / c.outChannels) % outLength;
    const image = Math.floor(at / c.outChannels / outLength);
    let sum = bias[o]!;
    for (let a = 0; a < c.kernel; a++) {
      const place = i * c.stride + a * c.dilation - c.padding[0];
      if (place < 0 || place >= length) continue;
      for (let p = 0; p < inGroup; p++) {
        const from = (image * length + place) * channels + Math.floor(o / outGroup) * inGroup + p;
        sum += x[from]! * weight[(a * inGroup + p) * c.outChannels + o]!;
      }
    }
    return sum;
  });
}

const cases: [Case, padding: number | 'same' | 'valid'][] = [
  [{ x: [2, 9, 3], outChannels: 5, kernel: 3, stride: 1, padding: [1, 1], dilation: 1, groups: 1 }, 1],
  [{ x: [1, 17, 8], outChannels: 8, kernel: 4, stride: 3, padding: [2, 2], dilation: 2, groups: 2 }, 2],
  [{ x: [2, 12, 6], outChannels: 6, kernel: 4, stride: 1, padding: [1, 2], dilation: 1, groups: 6 }, 'same'],
  [{ x: [1, 8, 4], outChannels: 7, kernel: 1, stride: 2, padding: [0, 0], dilation: 1, groups: 1 }, 'valid'],
];

for (const [c, padding] of cases) {
  test(`agrees with float64, and so do its gradients: ${JSON.stringify(c)}`, async () => {
    const { stride, dilation, groups } = c;
    const weight = [c.kernel, c.x[2] / groups, c.outChannels];
    await gradcheck(
      (x, w, bias) => conv1d(x!, w!, { bias: bias!, stride, padding, dilation, groups }),
      (x, w, bias) => loops(c, x!, w!, bias!),
      [
        engine.tensor(uniform(c.x[0] * c.x[1] * c.x[2], 1), c.x),
        engine.tensor(uniform(weight[0]! * weight[1]! * weight[2]!, 2), weight),
        engine.tensor(uniform(c.outChannels, 3)),
      ],
    );
  });
}

test('layers take PyTorch’s weights in PyTorch’s order', async () => {
  const layer = new Conv1d(engine, 6, 4, 5, { padding: 2, groups: 2 });
  const state = await stateDict(layer);
  assert.equal([...state.get('weight')!.shape], [4, 3, 5]);
  assert.equal([...state.get('bias')!.shape], [4]);
  const numbered = Float32Array.from({ length: 60 }, (_, i) => i);
  loadStateDict(layer, new Map([...state, ['weight', { shape: [4, 3, 5], data: numbered }]]));
  // PyTorch's element [out 3, in 1, place 2] is ours at [2, 1, 3].
  assert.is((await layer.weight.data())[2 * 12 + 1 * 4 + 3], 3 * 15 + 1 * 5 + 2);
  const x = engine.tensor(uniform(2 * 7 * 6, 1), [2, 7, 6]);
  const { weight, bias } = layer;
  await near(layer.forward(x), await conv1d(x, weight, { bias: bias!, padding: 2, groups: 2 }).data(), 0);
  const bare = new Conv1d(engine, 6, 4, 5, { bias: false });
  assert.equal([...(await stateDict(bare)).keys()], ['weight']);
});

test('the layer of two axes takes every setting', async () => {
  const layer = new Conv2d(engine, 8, 4, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 4 });
  assert.equal([...(await stateDict(layer)).get('weight')!.shape], [4, 2, 3, 2]);
  assert.equal(layer.forward(engine.zeros([1, 9, 7, 8])).shape, [1, 5, 5, 4]);
  const same = new Conv2d(engine, 8, 4, 3, { padding: 'same' });
  assert.equal(same.forward(engine.zeros([1, 9, 7, 8])).shape, [1, 9, 7, 4]);
  // Fan in is what goes into an output.
  const bound = 1 / Math.sqrt(3 * 2 * 2);
  for (const value of await layer.weight.data()) assert.ok(Math.abs(value) <= bound);
});

test('what does not fit is refused with what would', () => {
  const x = engine.zeros([2, 9, 6]);
  const wrong = (fn: () => unknown, kind: new (details: never) => Error, message: RegExp) => {
    const error = errorOf(fn);
    assert.instance(error, kind);
    assert.match(error.message, message);
  };
  wrong(() => conv1d(x, engine.zeros([3, 5, 4])), ShapeError, /takes sequences \[n, length, in\]/);
  wrong(() => conv1d(engine.zeros([1, 2, 9, 6]), engine.zeros([3, 6, 4])), ShapeError, /\[1, 2, 9, 6\]/);
  wrong(() => conv1d(x, engine.zeros([3, 6, 4]), { stride: 1.5 }), ArgumentError, /stride is 1.5/);
  wrong(() => conv1d(x, engine.zeros([10, 6, 4])), ShapeError, /larger than the image/);
  wrong(() => new Conv1d(engine, 6, 4, 3, { groups: 4 }), ArgumentError, /groups is 4/);
  wrong(() => new Conv2d(engine, 6, 4, 3, { groups: 5 }), ArgumentError, /groups is 5/);
  wrong(() => new Conv2d(engine, 6, 4, [3, 0]), ArgumentError, /kernel is \[3,0\]/);
});

test.run();
