import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { subgroupMatrix } from '../src/entries/subgroup-matrix.ts';
import { Engine, type EngineOptions, matmul } from '../src/index.ts';
import { matmulFamily } from '../src/ops/matmul/family.ts';
import type { Product } from '../src/ops/matmul/product.ts';
import { chooseVariant, preferVariant } from '../src/ops/variants/kernel-variants.ts';
import { configFor, matrixBlock } from '../src/ops/variants/subgroup-matrix.ts';
import { product } from './support/conv-reference.ts';
import { near, uniform } from './support/engine.ts';
import { config, type MatrixDevice } from './support/subgroup-matrix.ts';

type Float = 'f32' | 'f16';

test('of the products that a device lists, the largest one of factors as they are stored and sums in f32 is used', () => {
  const [f32, f16, large] = [config('f32', 8, 8, 8), config('f16', 16, 8, 8), config('f16', 16, 16, 16)];
  assert.is(configFor([], 'f16'), undefined);
  assert.is(configFor([f16, large, f32], 'f32'), f32);
  assert.is(configFor([f16, large, f32], 'f16'), large);
  assert.is(configFor([large, f16], 'f16'), large);
  assert.is(configFor([f16, large], 'f32'), undefined, 'f32 is not rounded to f16');
  assert.is(configFor([config('f16', 16, 16, 16, 'f16')], 'f16'), undefined, 'sums are not rounded');
  assert.is(configFor([config('i8', 16, 16, 32, 'i32'), config('f16', 64, 64, 16)], 'f16'), undefined);
});

/** A device of which only what is told of it is looked at. */
const toldOf = (
  configs: MatrixDevice['configs'],
  subgroupMaxSize: number,
  features: string[],
  invocations = 256,
): Engine => {
  const limits = { maxComputeInvocationsPerWorkgroup: invocations, maxComputeWorkgroupSizeX: invocations };
  const adapterInfo = { subgroupMaxSize, subgroupMatrixConfigs: configs };
  return { device: { limits, adapterInfo, features: new Set(features) } } as unknown as Engine;
};
const all = ['subgroups', 'chromium-experimental-subgroup-matrix'];

test('blocks follow rows and columns, and take no more than 16 KiB and the threads that there are', () => {
  const shapeOf = (on: Engine, stored: Float, rows: number, columns: number) => {
    const block = matrixBlock(on, stored, rows, columns, 16);
    if (!block) return null;
    const { M, N, UNITS_Y, UNITS_X, PAD } = block.constants as Record<string, number>;
    const tiles = block.rows * (block.depth + PAD!) + block.depth * (block.columns + PAD!);
    const bytes = tiles * (stored === 'f16' ? 2 : 4) + UNITS_Y! * UNITS_X! * M! * N! * 4 + 16 * block.rows;
    assert.ok(bytes <= 16384, `${bytes} bytes`);
    return [block.rows, block.columns, block.constants.THREADS];
  };
  const nvidia = toldOf([config('f16', 16, 16, 16)], 32, all);
  assert.equal(shapeOf(nvidia, 'f16', 1000, 1000), [64, 64, 128]);
  assert.equal(shapeOf(nvidia, 'f16', 1000, 16), [128, 16, 128]);
  assert.equal(shapeOf(nvidia, 'f16', 1000, 17), [128, 32, 128]);
  assert.equal(shapeOf(nvidia, 'f16', 9, 1000), [16, 64, 128]);
  assert.is(shapeOf(nvidia, 'f32', 64, 64), null);
  const apple = toldOf([config('f32', 8, 8, 8), config('f16', 8, 8, 8)], 64, all);
  assert.equal(shapeOf(apple, 'f32', 1000, 1000), [64, 64, 256]);
  assert.equal(shapeOf(apple, 'f16', 1000, 8), [128, 8, 256]);
  const wide = toldOf([config('f16', 16, 16, 16)], 128, all);
  assert.equal(shapeOf(wide, 'f16', 1000, 1000), [64, 64, 256]);
  assert.is(shapeOf(toldOf([config('f16', 16, 16, 16)], 128, all, 64), 'f16', 64, 64), null);
  assert.is(shapeOf(toldOf([config('f16', 16, 16, 16)], 32, ['subgroups']), 'f16', 64, 64), null, 'not asked for');
});

test('units that are asked for and not offered are one warning, and everything works', async () => {
  const warnings: string[] = [];
  const own = await Engine.create({ subgroupMatrix, warn: (message) => warnings.push(message) });
  if (!own.adapterDescription.endsWith('with subgroup matrices')) {
    assert.is(warnings.length, 1);
    assert.match(warnings[0]!, /^engram: .+ offers no subgroup matrices \(chromium-experimental-subgroup-matrix\)/);
    const strides = { aRow: 8, aCol: 1, aBatch: 0, bRow: 8, bCol: 1, bBatch: 0 };
    const work: Product = { m: 8, n: 8, k: 8, batch: 1, ...strides, stored: 'f32' };
    assert.is.not(chooseVariant(own, matmulFamily, work).name, 'subgroup-matrix');
    preferVariant(own, 'matmul', 'subgroup-matrix');
    assert.throws(() => chooseVariant(own, matmulFamily, work), /there is no variant subgroup-matrix/);
    preferVariant(own, 'matmul', null);
  }
  const data = uniform(64, 1);
  await near(matmul(own.tensor(data, [8, 8]), own.tensor(data, [8, 8])), product(8, 8, 8, data, data));
  await own.destroy();
});

test('the environment goes before the option', async () => {
  const before = process.env.ENGRAM_SUBGROUP_MATRIX;
  const warnings: string[] = [];
  const create = (variable: string, options: EngineOptions = {}) => {
    process.env.ENGRAM_SUBGROUP_MATRIX = variable;
    return Engine.create({ ...options, warn: (message) => warnings.push(message) });
  };
  try {
    const without = await create('0', { subgroupMatrix });
    assert.not.match(without.adapterDescription, /subgroup matrices/);
    assert.equal(warnings, []);
    const asked = await create('1', { subgroupMatrix });
    assert.is(warnings.length, asked.adapterDescription.endsWith('with subgroup matrices') ? 0 : 1);
    warnings.length = 0;
    const plain = await create('1');
    assert.not.match(plain.adapterDescription, /subgroup matrices/);
    assert.is(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /import { subgroupMatrix } from 'engram\/subgroup-matrix', and pass Engine\.create\({ subgroupMatrix }\)/,
    );
    for (const one of [without, asked, plain]) await one.destroy();
    await create('yes').then(
      () => assert.unreachable('yes is neither 1 nor 0'),
      (error: Error) =>
        assert.match(error.message, /ENGRAM_SUBGROUP_MATRIX: 'yes' is neither 1 nor 0\. Choose 1 .* or 0/),
    );
  } finally {
    if (before === undefined) delete process.env.ENGRAM_SUBGROUP_MATRIX;
    else process.env.ENGRAM_SUBGROUP_MATRIX = before;
  }
});

test.run();
