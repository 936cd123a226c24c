/**
 * Kernels on subgroup matrices: run with the units emulated, against float64, and compiled by Dawn for its null backend.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { subgroupMatrix } from '../src/entries/subgroup-matrix.ts';
import type { Launch, Plan } from '../src/gpu/launch.ts';
import { moduleText } from '../src/gpu/wgsl/kernel.ts';
import { linked } from '../src/gpu/wgsl/link.ts';
import { conv2d, type DType, Engine, linear, matmul, type Tensor, tune } from '../src/index.ts';
import { geometryOf } from '../src/ops/conv2d/geometry.ts';
import { tapFamily } from '../src/ops/conv2d/taps/family.ts';
import { forwardPass, inputGradientPasses } from '../src/ops/conv2d/taps/pass.ts';
import { weightFamily } from '../src/ops/conv2d/weights/family.ts';
import { matmulFamily } from '../src/ops/matmul/family.ts';
import type { Product } from '../src/ops/matmul/product.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { type ConvCase, convForward, convGradients, image, outputSize, product } from './support/conv-reference.ts';
import { near, uniform } from './support/engine.ts';
import { given } from './support/given.ts';
import { HALF_EPSILON, rounded } from './support/half.ts';
import { canCompile, canEmulate, compiling, config, emulating, type MatrixDevice } from './support/subgroup-matrix.ts';

type Float = 'f32' | 'f16';
const floats: readonly Float[] = ['f32', 'f16'];
const flags = [false, true];

/** Axes of different lengths, so that none can stand for another; with more subgroups than units, and with as many. */
const emulated: MatrixDevice[] = [
  { configs: [config('f32', 8, 8, 8), config('f16', 16, 8, 16)], subgroupMaxSize: 1 },
  { configs: [config('f32', 16, 8, 4), config('f16', 16, 16, 16)], subgroupMaxSize: 2 },
  { configs: [config('f32', 8, 16, 8), config('f16', 8, 16, 32)], subgroupMaxSize: 1 },
];
const engines: Engine[] = canEmulate ? await Promise.all(emulated.map(emulating)) : [];
for (const on of engines) for (const family of ['matmul', 'conv2d']) preferVariant(on, family, 'subgroup-matrix');
test.after(async () => {
  for (const on of engines) await on.destroy();
});

/** The launches of `step`, which are made nevertheless. */
function launches(on: Engine, step: () => unknown): Launch[] {
  const made: Launch[] = [];
  on.dispatch = (dispatch) => {
    made.push(dispatch);
    Engine.prototype.dispatch.call(on, dispatch);
  };
  step();
  Reflect.deleteProperty(on, 'dispatch'); // the class's own is back
  return made;
}

const drawn = (size: number, seed: number) => rounded(uniform(size, seed));
const tolerance = (dtype: DType) => (dtype === 'f16' ? HALF_EPSILON : 1e-5);

interface ProductCase {
  m: number;
  k: number;
  n: number;
  transposeA: boolean;
  transposeB: boolean;
  dtype: Float;
}

/** One product against float64. */
async function compareProduct(on: Engine, { m, k, n, transposeA, transposeB, dtype }: ProductCase): Promise<void> {
  const what = `${m}×${k}${transposeA ? 'ᵀ' : ''} · ${k}×${n}${transposeB ? 'ᵀ' : ''} ${dtype}`;
  const [a, b] = [drawn(m * k, m + k), drawn(k * n, k + n)];
  const ta = on.tensor(a, transposeA ? [k, m] : [m, k], dtype);
  const tb = on.tensor(b, transposeB ? [n, k] : [k, n], dtype);
  let c: Tensor | undefined;
  const [first] = launches(on, () => {
    c = matmul(ta, tb, { transposeA, transposeB });
  });
  assert.is(first?.kernel.name, 'matmul_subgroup_matrix', what);
  await near(c, product(m, k, n, a, b, transposeA, transposeB), tolerance(dtype), what);
}

const whereEmulated = given(canEmulate, 'shader-f16, subgroups or 32 KiB of workgroup memory');

for (const [i, { configs }] of emulated.entries()) {
  const told = configs.map(({ componentType, M, N, K }) => `${componentType} ${M}×${N}×${K}`).join(', ');

  whereEmulated(`products by units of ${told}: edges, quads, transposed operands, splits`, async () => {
    const on = engines[i]!;
    const quads = { m: 68, k: 36, n: 72 };
    await compareProduct(on, { m: 70, k: 45, n: 33, transposeA: false, transposeB: false, dtype: 'f32' });
    await compareProduct(on, { ...quads, transposeA: true, transposeB: true, dtype: 'f32' });
    await compareProduct(on, { ...quads, transposeA: false, transposeB: false, dtype: 'f16' });
    await compareProduct(on, { m: 9, k: 601, n: 7, transposeA: true, transposeB: false, dtype: 'f16' });
  });
}

/** There in every test that runs. */
const some = engines[0]!;

/** A convolution, its input gradient beside a shortcut's, and its weight gradient, against float64. */
async function compareConvolution(on: Engine, c: ConvCase, dtype: Float): Promise<void> {
  const what = `${JSON.stringify(c)} ${dtype}`;
  const [rows, columns] = outputSize(c);
  const x = drawn(c.batch * c.height * c.width * c.inChannels, 1);
  const weight = drawn(c.kernel[0] * c.kernel[1] * c.inChannels * c.outChannels, 2);
  const bias = uniform(c.outChannels, 3);
  const dy = drawn(c.batch * rows * columns * c.outChannels, 4);
  const tx = on.tensor(x, [c.batch, c.height, c.width, c.inChannels], dtype);
  const tweight = on.tensor(weight, [...c.kernel, c.inChannels, c.outChannels]);
  for (const leaf of [tx, tweight]) leaf.requiresGrad = true;
  let y: Tensor | undefined;
  const made = launches(on, () => {
    // The shortcut's gradient comes first, and the convolution's is added to it.
    const h = tx.mul(1);
    y = conv2d(h, tweight, { bias: on.tensor(bias, [c.outChannels]), stride: c.stride, padding: c.padding });
    y.mul(on.tensor(dy, y.shape, dtype))
      .sum()
      .add(h.mul(2).sum())
      .backward();
  });
  const names = new Set(made.map(({ kernel }) => kernel.name));
  assert.ok(names.has('conv2d_subgroup_matrix') && names.has('conv2d_weight_subgroup_matrix'), [...names].join());
  const { dx, dweight } = convGradients(c, x, weight, dy);
  await near(y, convForward(c, x, weight, bias), tolerance(dtype), `${what}: y`);
  // In f16 the shortcut's and the sum are rounded.
  await near(
    tx.grad,
    dx.map((value) => value + 2),
    2 * tolerance(dtype),
    `${what}: dx`,
  );
  await near(tweight.grad, dweight, 1e-5, `${what}: dweight`);
}

for (const i of [0, 1]) {
  whereEmulated(`convolutions and their gradients by units of the ${i + 1}. kind agree with float64`, async () => {
    const on = engines[i]!;
    // More than one block along each axis, without quads and with them.
    const [one, other] = i === 0 ? floats : [...floats].reverse();
    await compareConvolution(on, image([2, 7, 11], [5, 68], [3, 3], [1, 1], [1, 1]), one as Float);
    await compareConvolution(on, image([2, 9, 10], [16, 20], [3, 3], [2, 1], [1, 0]), other as Float);
  });
}

whereEmulated('a stride beyond the kernel leaves phases without taps, which are zeros', async () => {
  await compareConvolution(some, image([1, 6, 5], [2, 3], [2, 1], [4, 3], [1, 1]), 'f32');
});

whereEmulated('products of any size agree with float64', async () => {
  const sizes = { m: fc.integer({ min: 1, max: 140 }), k: fc.integer({ min: 1, max: 70 }) };
  const any = fc.record({
    ...{ ...sizes, n: fc.integer({ min: 1, max: 140 }) },
    ...{ transposeA: fc.boolean(), transposeB: fc.boolean(), dtype: fc.constantFrom(...floats) },
  });
  await fc.assert(
    fc.asyncProperty(any, (one) => compareProduct(some, one)),
    {
      seed: Number(process.env.ENGRAM_PROPERTY_SEED ?? 7),
      includeErrorInReport: true,
      // Most of them compile a kernel of their own.
      numRuns: Number(process.env.ENGRAM_PROPERTY_RUNS ?? 6),
    },
  );
});

whereEmulated('batches, and a bias in front of an f16 result', async () => {
  const [batch, m, k, n] = [3, 5, 7, 9];
  const [a, b] = [drawn(batch * m * k, 1), drawn(batch * k * n, 2)];
  const expected = new Float64Array(batch * m * n);
  for (let i = 0; i < batch; i++) {
    const [ai, bi] = [a.subarray(i * m * k, (i + 1) * m * k), b.subarray(i * k * n, (i + 1) * k * n)];
    expected.set(product(m, k, n, ai, bi), i * m * n);
  }
  await near(matmul(some.tensor(a, [batch, m, k]), some.tensor(b, [batch, k, n])), expected);
  const bias = uniform(n, 3);
  const weight = some.tensor(b.subarray(0, k * n), [k, n]);
  const y = linear(some.tensor(a, [batch * m, k], 'f16'), weight, some.tensor(bias, [n]));
  assert.is(y.dtype, 'f16');
  const shifted = product(batch * m, k, n, a, b.subarray(0, k * n)).map((value, i) => value + bias[i % n]!);
  await near(y, shifted, HALF_EPSILON);
});

whereEmulated(
  'the rule does not choose units, the tuner may; those that do not compile are left out with a warning',
  async () => {
    const data = uniform(30 * 30, 1);
    const expected = product(30, 30, 30, data, data);
    const square = (on: Engine) => {
      const a = on.tensor(data, [30, 30]);
      return () => matmul(a, a);
    };
    const fastest = {
      store: null,
      stopwatch: async (_: unknown, runs: readonly { variant: string }[]) =>
        runs.map(({ variant }) => (variant === 'subgroup-matrix' ? 1 : 10)),
    };
    const good = Engine.from(some.device, { kind: 'hardware', subgroupMatrix });
    const step = square(good);
    assert.is.not(launches(good, step)[0]?.kernel.name, 'matmul_subgroup_matrix');
    assert.is((await tune(good, step, fastest)).pieces[0]?.variant, 'subgroup-matrix');
    assert.is(launches(good, step)[0]?.kernel.name, 'matmul_subgroup_matrix');

    const warnings: string[] = [];
    const bad = Engine.from(some.device, { kind: 'hardware', subgroupMatrix });
    const badStep = square(bad);
    Object.defineProperty(some.device, 'createComputePipelineAsync', {
      configurable: true,
      value: (descriptor: GPUComputePipelineDescriptor) =>
        descriptor.label === 'matmul_subgroup_matrix'
          ? Promise.reject(new Error('no such units'))
          : GPUDevice.prototype.createComputePipelineAsync.call(some.device, descriptor),
    });
    const { result, pieces } = await tune(bad, badStep, { ...fastest, warn: (message) => warnings.push(message) });
    Reflect.deleteProperty(some.device, 'createComputePipelineAsync');
    assert.is.not(pieces[0]?.variant, 'subgroup-matrix');
    assert.is(warnings.length, 1, warnings.join('\n'));
    assert.match(
      warnings[0]!,
      /variant subgroup-matrix of matmul is left out: matmul_subgroup_matrix: the kernel did not compile: no such units/,
    );
    await near(result, expected);
  },
);

whereEmulated('choices that were tuned with units are kept apart, by the name of the adapter', () => {
  assert.match(some.adapterDescription, / with subgroup matrices$/);
});

/** Everything that makes kernels of the variant differ, on a device: rows and columns, strides, layouts, types. */
function everyPlan(on: Engine): Plan[] {
  const sides = [
    [8, 8],
    [64, 64],
    [200, 12],
    [4, 200],
    [200, 48],
  ] as const;
  const made: Plan[] = [];
  const byMatrices = <Variant extends { name: string }>(variants: readonly Variant[]): Variant =>
    variants.find(({ name }) => name === 'subgroup-matrix') as Variant;
  const [products, taps, weights] = [
    byMatrices(variantsOf(on, matmulFamily)),
    byMatrices(variantsOf(on, tapFamily)),
    byMatrices(variantsOf(on, weightFamily)),
  ];
  for (const stored of floats) {
    for (const [m, n] of sides) {
      for (const k of [36, 45]) {
        for (const [aT, bT, result] of [
          ...flags.flatMap((aT) => flags.map((bT) => [aT, bT, stored] as const)),
          [false, false, 'f32'] as const,
        ]) {
          const a = aT ? { aRow: 1, aCol: m } : { aRow: k, aCol: 1 };
          const b = bT ? { bRow: 1, bCol: k } : { bRow: n, bCol: 1 };
          const work: Product = { m, n, k, batch: 1, ...a, ...b, aBatch: 0, bBatch: 0, stored };
          if (!products.fits?.(work, on)) continue;
          made.push(products.plan(on, work, { ...products.split(on, work), result, hasBias: false }));
        }
      }
    }
    for (const inChannels of [3, 8, 64]) {
      for (const outChannels of [5, 16, 64]) {
        for (const size of [2, 16]) {
          const g = geometryOf([1, size, size, inChannels], [3, 3, inChannels, outChannels], { padding: 1 }, stored);
          for (const pass of [forwardPass(g), ...inputGradientPasses(g)]) {
            if (taps.fits?.(pass, on)) made.push(taps.plan(on, pass, { hasBias: false, accumulate: false }));
          }
          if (weights.fits?.(g, on)) made.push(weights.plan(on, g, weights.split(on, g)));
        }
      }
    }
  }
  return made;
}

const hardware = [
  [config('f32', 8, 8, 8), config('f16', 8, 8, 8)], // Apple
  [config('f16', 16, 16, 16)], // NVIDIA, AMD
  [config('f16', 16, 8, 16)],
  [config('f16', 8, 16, 16)], // Intel
];

for (const configs of hardware) {
  const { M, N, K } = configs[0]!;
  given(canCompile, 'a Dawn with subgroup matrices')(
    `Dawn compiles every kernel on units of ${M}×${N}×${K}`,
    async () => {
      const device = await compiling(configs);
      const texts = new Set(
        everyPlan(Engine.from(device, { subgroupMatrix })).map(({ kernel, constants = {} }) =>
          moduleText(linked(kernel.source), constants),
        ),
      );
      assert.ok(texts.size > 50, `${texts.size} kernels`);
      await Promise.all(
        [...texts].map((code) =>
          device.createComputePipelineAsync({
            layout: 'auto',
            compute: { module: device.createShaderModule({ code }) },
          }),
        ),
      );
      device.destroy();
    },
  );
}

test.run();
