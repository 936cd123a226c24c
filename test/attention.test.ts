import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  capture,
  loadStateDict,
  Module,
  MultiheadAttention,
  type MultiheadAttentionInput,
  mseLoss,
  Random,
  SGD,
  scaledDotProductAttention,
  stateDict,
  supportsF16,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';
import { dot, rowsOf, softmax } from './support/rows.ts';

/** softmax(q·kᵀ·scale + added)·v of one head, in float64. */
function attended(
  q: readonly number[][],
  k: readonly number[][],
  v: readonly number[][],
  added: (query: number, key: number) => number = () => 0,
  scale = 1 / Math.sqrt(q[0]!.length),
): { output: number[][]; weights: number[][] } {
  const weights = q.map((query, i) => softmax(k.map((key, j) => dot(query, key) * scale + added(i, j))));
  const output = weights.map((row) =>
    v[0]!.map((_, column) =>
      dot(
        row,
        v.map((value) => value[column]!),
      ),
    ),
  );
  return { output, weights };
}

const random = (shape: readonly number[], seed: number) =>
  engine.tensor(
    uniform(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );
/** The batch entries of [batch, rows, columns] as rows. */
const entries = (values: ArrayLike<number>, rows: number, columns: number): number[][][] => {
  const all = rowsOf(values, columns);
  return Array.from({ length: all.length / rows }, (_, i) => all.slice(i * rows, (i + 1) * rows));
};

const [query, key, value] = [random([2, 3, 4], 1), random([2, 5, 4], 2), random([2, 5, 6], 3)];
const forbids = (allowed: (i: number, j: number) => boolean) => (i: number, j: number) =>
  allowed(i, j) ? 0 : -Infinity;

for (const [name, options, added, scale] of [
  ['plain', {}, () => 0, undefined],
  ['causal', { isCausal: true }, forbids((i, j) => j <= i), undefined],
  [
    'masked',
    { mask: engine.tensor(Uint32Array.of(1, 0, 1, 1, 0)) },
    forbids((_, j) => j === 0 || (j > 1 && j < 4)),
    undefined,
  ],
  [
    'biased',
    { mask: engine.tensor([[0.5], [-1], [2]]).mul(engine.tensor([0, 1, 2, 3, 4])) },
    (i: number, j: number) => [0.5, -1, 2][i]! * j,
    undefined,
  ],
  ['scaled', { scale: 0.3 }, () => 0, 0.3],
] as const) {
  test(`attention, ${name}`, async () => {
    await gradcheck(
      (q, k, v) => scaledDotProductAttention(q!, k!, v!, options),
      (q, k, v) =>
        entries(q!, 3, 4).flatMap((one, i) =>
          attended(one, entries(k!, 5, 4)[i]!, entries(v!, 5, 6)[i]!, added, scale).output.flat(),
        ),
      [query, key, value],
      { tolerance: 2e-5 },
    );
  });
}

(supportsF16(engine) ? test : test.skip)('attention of f16', async () => {
  const [q, k, v] = [1, 2, 3].map((seed) => uniform(24, seed)) as [Float32Array, Float32Array, Float32Array];
  const y = scaledDotProductAttention(halves(q, [6, 4]), halves(k, [6, 4]), halves(v, [6, 4]));
  assert.is(y.dtype, 'f16');
  const [a, b, c] = [q, k, v].map((x) => rowsOf(rounded(x), 4)) as [number[][], number[][], number[][]];
  await near(y, attended(a, b, c).output.flat(), 6 * HALF_EPSILON);
});

/** The layer in float64, from its state in PyTorch's layouts. */
async function layer(
  module: MultiheadAttention,
  inputs: readonly number[][][],
  added: (query: number, key: number) => number = () => 0,
): Promise<{ output: number[][]; weights: number[][] }> {
  const state = await stateDict(module);
  const { features, heads } = module;
  const matrix = (name: string) => rowsOf(state.get(name)!.data, state.get(name)!.shape[1]!);
  const joint = state.has('in_proj_weight') ? matrix('in_proj_weight') : null;
  const projected = inputs.map((rows, i) => {
    const weight = joint ? joint.slice(i * features, (i + 1) * features) : matrix(`${'qkv'[i]}_proj_weight`);
    const bias = state.get('in_proj_bias')?.data ?? [];
    return rows.map((row) => weight.map((w, c) => dot(w, row) + (bias[i * features + c] ?? 0)));
  });
  const depth = features / heads;
  const cut = (rows: readonly number[][], head: number) =>
    rows.map((row) => row.slice(head * depth, (head + 1) * depth));
  const each = Array.from({ length: heads }, (_, head) => {
    const [q, k, v] = projected.map((rows) => cut(rows, head)) as [number[][], number[][], number[][]];
    return attended(q, k, v, added);
  });
  const [out, bias] = [matrix('out_proj.weight'), state.get('out_proj.bias')?.data ?? []];
  const joined = each[0]!.output.map((_, i) => each.flatMap(({ output }) => output[i]!));
  return {
    output: joined.map((row) => out.map((w, c) => dot(w, row) + (bias[c] ?? 0))),
    weights: each[0]!.weights.map((row, i) =>
      row.map((_, j) => each.reduce((total, { weights }) => total + weights[i]![j]!, 0) / heads),
    ),
  };
}

test('self-attention with several heads, its weights, and its gradients', async () => {
  const module = new MultiheadAttention(engine, 6, 3, { random: Random.of(1, 'attention') });
  // Biases are zeros in the beginning, which would hide them.
  engine.write(module.inProjBias!.storage, uniform(18, 4));
  const x = random([1, 4, 6], 5);
  const values = rowsOf(await x.data(), 6);
  const expected = await layer(
    module,
    [values, values, values],
    forbids((i, j) => j <= i),
  );
  const { output, weights } = module.forward(x, x, x, { isCausal: true, needWeights: true });
  await near(output, expected.output.flat(), 1e-5);
  await near(weights, expected.weights.flat(), 1e-5);
  assert.is(module.forward(x).weights, null);
  // The heads' gradients are written side by side: against the same computed from three inputs.
  const gradientsBy = async (forward: (of: Tensor) => Tensor) => {
    const of = engine.tensor(await x.data(), [1, 4, 6]);
    of.requiresGrad = true;
    module.zeroGrad();
    forward(of).square().sum().backward();
    return [of, ...module.parameters()].map(({ grad }) => grad!);
  };
  const together = await gradientsBy((of) => module.forward(of).output);
  const kept = await Promise.all(together.map((grad) => grad.data()));
  const apart = await gradientsBy((of) => module.forward(of, of.mul(1), of.mul(1)).output);
  for (const [i, grad] of apart.entries()) await near(grad, kept[i]!, 1e-5, `gradient ${i}`);
});

test('gradients of the layer agree with differences', async () => {
  const module = new MultiheadAttention(engine, 4, 2, { random: Random.of(2, 'attention') });
  const weight = rowsOf((await stateDict(module)).get('in_proj_weight')!.data, 4);
  const out = rowsOf((await stateDict(module)).get('out_proj.weight')!.data, 4);
  const project = (rows: readonly number[][], i: number) =>
    rows.map((row) => weight.slice(i * 4, i * 4 + 4).map((w) => dot(w, row)));
  await gradcheck(
    (x) => module.forward(x).output,
    (x) => {
      const [q, k, v] = [0, 1, 2].map((i) => project(rowsOf(x!, 4), i)) as [number[][], number[][], number[][]];
      const heads = [0, 2].map((c) =>
        attended(
          ...([q, k, v].map((rows) => rows.map((row) => row.slice(c, c + 2))) as [number[][], number[][], number[][]]),
        ),
      );
      return q.flatMap((_, i) =>
        out.map((w) =>
          dot(
            w,
            heads.flatMap(({ output }) => output[i]!),
          ),
        ),
      );
    },
    [random([1, 3, 4], 6)],
    { tolerance: 3e-5 },
  );
});

test('attention to other sequences, of other features', async () => {
  for (const options of [{}, { keyFeatures: 3, valueFeatures: 5, bias: false }]) {
    const module = new MultiheadAttention(engine, 4, 2, { ...options, random: Random.of(3, 'attention') });
    const sizes = [4, options.keyFeatures ?? 4, options.valueFeatures ?? 4];
    const [q, k, v] = sizes.map((n, i) => random([1, i === 0 ? 2 : 3, n], i)) as [Tensor, Tensor, Tensor];
    const given = await Promise.all([q, k, v].map(async (x, i) => rowsOf(await x.data(), sizes[i]!)));
    await near(module.forward(q, k, v).output, (await layer(module, given)).output.flat(), 1e-5);
  }
});

test('padding is not looked at, in each sequence its own', async () => {
  const module = new MultiheadAttention(engine, 4, 2, { random: Random.of(4, 'attention') });
  const x = random([2, 3, 4], 7);
  const keyMask = engine.tensor(Uint32Array.of(1, 1, 0, 1, 1, 1), [2, 3]);
  const { output } = module.forward(x, x, x, { keyMask });
  const all = entries(await x.data(), 3, 4);
  const expected = [
    await layer(
      module,
      [all[0]!, all[0]!, all[0]!],
      forbids((_, j) => j < 2),
    ),
    await layer(module, [all[1]!, all[1]!, all[1]!]),
  ];
  await near(
    output,
    expected.flatMap((one) => one.output.flat()),
    1e-5,
  );
  const both = module.forward(x, x, x, { keyMask, isCausal: true }).output;
  const first = await layer(
    module,
    [all[0]!, all[0]!, all[0]!],
    forbids((i, j) => j <= i && j < 2),
  );
  await near(both.slice([[0, 1]]), first.output.flat(), 1e-5);
});

test('the state has PyTorch’s names and layouts, and comes back', async () => {
  const shapes = async (module: Module<never, unknown>) =>
    Object.fromEntries([...(await stateDict(module))].map(([name, { shape }]) => [name, shape]));
  const module = new MultiheadAttention(engine, 4, 2);
  assert.equal(await shapes(module), {
    in_proj_weight: [12, 4],
    in_proj_bias: [12],
    'out_proj.weight': [4, 4],
    'out_proj.bias': [4],
  });
  assert.equal(await shapes(new MultiheadAttention(engine, 4, 2, { keyFeatures: 3, valueFeatures: 5, bias: false })), {
    q_proj_weight: [4, 4],
    k_proj_weight: [4, 3],
    v_proj_weight: [4, 5],
    'out_proj.weight': [4, 4],
  });
  const again = new MultiheadAttention(engine, 4, 2);
  loadStateDict(again, await stateDict(module));
  const x = random([1, 3, 4], 8);
  await near(again.forward(x).output, await module.forward(x).output.data(), 0);
});

test('weights are dropped in training alone', async () => {
  const module = new MultiheadAttention(engine, 4, 2, { dropout: 0.5 });
  const x = random([4, 8, 4], 9);
  const of = async () => [...(await module.forward(x).output.data())];
  assert.not.equal(await of(), await of());
  module.eval();
  assert.equal(await of(), await of());
});

test('a module of several inputs trains inside another one', async () => {
  class Decoder extends Module<[x: Tensor, memory: Tensor]> {
    readonly cross = new MultiheadAttention(this.engine, 4, 2);
    forward(x: Tensor, memory: Tensor): Tensor {
      return this.cross.forward(x, memory).output.add(x);
    }
  }
  const decoder = new Decoder(engine);
  assert.equal(
    [...decoder.namedTensors()].map(({ name }) => name),
    ['cross.in_proj_weight', 'cross.in_proj_bias', 'cross.out_proj.weight', 'cross.out_proj.bias'],
  );
  decoder
    .forward(random([1, 2, 4], 1), random([1, 3, 4], 2))
    .sum()
    .backward();
  assert.ok(decoder.parameters().every(({ grad }) => grad !== null));
});

(supportsF16(engine) ? test : test.skip)('sequences of f16 with weights of f32, there and back', async () => {
  const module = new MultiheadAttention(engine, 8, 2, { random: Random.of(5, 'attention') });
  const values = rounded(uniform(2 * 3 * 8, 10));
  const whole = engine.tensor(values, [2, 3, 8]);
  const half = halves(values, [2, 3, 8]);
  const gradients: Tensor[] = [];
  for (const x of [whole, half]) {
    x.requiresGrad = true;
    module.zeroGrad();
    const { output } = module.forward(x);
    assert.is(output.dtype, x.dtype);
    output.cast('f32').sum().backward();
    gradients.push(x.grad!);
  }
  await near(module.forward(half).output, await module.forward(whole).output.data(), 8 * HALF_EPSILON);
  await near(gradients[1], await gradients[0]!.data(), 0.02);
});

test('a captured step trains it to the same bits', async () => {
  const [x, target] = [engine.keep(random([2, 3, 8], 11)), engine.keep(random([2, 3, 8], 12))];
  const train = async (isCaptured: boolean) => {
    const module = new MultiheadAttention(engine, 8, 2, { random: Random.of(6, 'attention') });
    const optimizer = new SGD(module, { lr: 0.1 });
    const step = (of: Tensor) => {
      mseLoss(module.forward(of).output, target).backward();
      optimizer.step();
      optimizer.zeroGrad();
    };
    const taken = isCaptured ? capture(engine, step) : (of: Tensor) => engine.scope(() => step(of));
    for (let i = 0; i < 4; i++) taken(x);
    return Promise.all(module.parameters().map((parameter) => parameter.data()));
  };
  assert.equal(await train(true), await train(false));
});

test('what does not fit is refused', () => {
  const told = (fn: () => unknown) => errorOf(fn).message;
  const module = new MultiheadAttention(engine, 4, 2);
  const x = engine.zeros([1, 3, 4]);
  const given = (input: MultiheadAttentionInput) => told(() => module.forward(x, x, x, input));
  assert.match(
    told(() => new MultiheadAttention(engine, 4, 3)),
    /3 heads do not divide 4 features/,
  );
  assert.match(
    told(() => new MultiheadAttention(engine, 4, 2, { dropout: 1 })),
    /the probability must be in \[0, 1\)/,
  );
  assert.match(
    told(() => module.forward(engine.zeros([3, 4]))),
    /takes query \[batch, queries, features\]/,
  );
  assert.match(
    told(() => module.forward(x, engine.zeros([2, 3, 4]))),
    /was given \[1, 3, 4\], \[2, 3, 4\]/,
  );
  assert.match(given({ mask: engine.ones([2, 2]) }), /mask has shape \[2, 2\]|do not broadcast/);
  assert.match(given({ mask: engine.ones([3, 3], 'i32') }), /the mask is i32; u32/);
  assert.match(given({ keyMask: engine.ones([1, 3]) }), /keyMask is f32; u32 was expected/);
  assert.match(
    told(() => scaledDotProductAttention(query, engine.zeros([2, 5, 3]), value)),
    /takes query \[\.\.\., queries, features\].*was given \[2, 3, 4\], \[2, 5, 3\], \[2, 5, 6\]/,
  );
});

test.run();
