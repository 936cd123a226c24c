/** Parameters by name: where they lie in the uniform, and what is refused. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../src/errors.ts';
import type { Constants } from '../src/gpu/wgsl/constants.ts';
import { linkWgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import { packParams } from '../src/gpu/wgsl/pack-params.ts';
import { type ParamsLayout, paramsLayout } from '../src/gpu/wgsl/params.ts';
import { engine, errorOf } from './support/engine.ts';

/** The message of the ArgumentError that `fn` throws. */
function refusal(fn: () => unknown): string {
  const error = errorOf(fn);
  assert.instance(error, ArgumentError);
  return error.message;
}

/** The layout of a uniform of type `Params`, declared by `source`. */
function layout(source: string, constants: Constants = {}): ParamsLayout {
  const found = paramsLayout(
    `${source}\n@group(0) @binding(0) var<uniform> p: Params;\n@compute @workgroup_size(1) fn main() { _ = p; }`,
    constants,
    'main',
    'kernel',
  );
  if (!found) throw new Error('no uniform was found');
  return found;
}

const offsets = (found: ParamsLayout): Record<string, number> =>
  Object.fromEntries(found.fields.map(({ name, offset }) => [name, offset]));

test('members lie where WGSL puts them', () => {
  const laid = (members: string, offset: Record<string, number>, size: number) => {
    const found = layout(`struct Params { ${members} }`);
    assert.equal(offsets(found), offset, members);
    assert.is(found.size, size, members);
  };
  laid('a: u32, b: i32, c: f32', { a: 0, b: 4, c: 8 }, 12);
  laid('a: vec3<f32>, b: f32,', { a: 0, b: 12 }, 16);
  laid('a: f32, b: vec3f', { a: 0, b: 16 }, 32);
  laid('a: u32, b: vec2<i32>, c: u32, d: vec4u', { a: 0, b: 8, c: 16, d: 32 }, 48);
  laid('a: f32, m: mat3x3<f32>, b: f32, n: mat2x2f, c: u32', { a: 0, m: 16, b: 64, n: 72, c: 88 }, 96);
  laid('a: u32, b: array<vec4<u32>, 3>, c: u32', { a: 0, b: 16, c: 64 }, 80);
  laid('a: array<array<vec3f, 2>, 2>, b: f32', { a: 0, b: 64 }, 80);
  laid('@align(16) a: u32, @size(12) b: u32, c: u32, @align(32) d: u32', { a: 0, b: 4, c: 16, d: 32 }, 64);
});

test('nested structs, aliases, sizes by constants and comments', () => {
  const source = `
    // struct Params { wrong: u32 }
    alias Float = f32;
    alias Pair = vec2<Float>;
    const HALF = (N + 1u) / 2u; /* const HALF = 7; /* } */ */
    const MORE: u32 = max(HALF, 1u << 1) * 2 - 0x1;
    struct Inner { x: Pair, /* { */ y: S, }
    struct Params {
      a: u32, // } first
      @align(16) inner: Inner,
      many: array<vec4<S>, MORE>, @align(16) several: array<Padded, HALF>,
    }
    struct Padded { @size(16) x: u32 };
    fn other() { const N = 1000u; }`;
  const found = layout(source, { N: 5, S: 'i32', FLAG: true, SCALE: { f32: 2 } });
  assert.equal(offsets(found), { a: 0, inner: 16, many: 32, several: 112 });
  assert.is(found.size, 160);
  const words = packParams(
    found,
    {
      a: 1,
      inner: { x: [0.5, 1], y: -1 },
      many: Array.from({ length: 5 }, (_, i) => [i, 10 + i, 20 + i, 30 + i]),
      several: [{ x: 7 }, { x: 8 }, { x: 9 }],
    },
    'kernel',
  );
  const floats = new Float32Array(words.buffer);
  assert.equal([words[0], floats[4], floats[5], words[6]], [1, 0.5, 1, 2 ** 32 - 1]);
  assert.equal([...words.subarray(8, 16)], [0, 10, 20, 30, 1, 11, 21, 31]);
  assert.equal([words[28], words[32], words[36]], [7, 8, 9]);
});

test('only a uniform that the entry point reaches counts', () => {
  const source = `struct Params { a: u32 } struct Others { b: f32 }
    @group(0) @binding(1) var<uniform> params: Params; @group(0) @binding(2) var<uniform> others: Others;
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1) fn first() { out[0] = params.a; }
    @compute @workgroup_size(1) fn second() { out[0] = u32(helper()); }
    fn helper() -> f32 { return others.b; /* params */ }
    @compute @workgroup_size(1) fn both() { first(); second(); }
    @compute @workgroup_size(1) fn neither() { out[0] = 1u; }`;
  assert.equal(offsets(paramsLayout(source, {}, 'first') as ParamsLayout), { a: 0 });
  assert.equal(offsets(paramsLayout(source, {}, 'second') as ParamsLayout), { b: 0 });
  assert.is(paramsLayout(source, {}, 'neither'), null);
  assert.match(
    refusal(() => paramsLayout(source, {}, 'both')),
    /several uniforms, params, others/,
  );
});

test('a uniform that is no struct is one parameter', () => {
  const source = `struct Params { @align(16) a: u32, b: u32 }
    @group(0) @binding(0) var<uniform> phases: array<Params, MOST>;
    fn main() { _ = phases[0].a; }`;
  const found = paramsLayout(source, { MOST: 2 }) as ParamsLayout;
  const values = {
    phases: [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
  };
  assert.equal([...packParams(found, values, 'kernel')], [1, 2, 0, 0, 3, 4, 0, 0]);
  assert.match(
    refusal(() => packParams(found, { phases: [{ a: 1, b: 2 }] }, 'kernel')),
    /^kernel: parameter phases has 1 elements, expected are 2 \(array<Params, 2>\)/,
  );
  assert.match(
    refusal(() => packParams(found, { phases: [{ a: 1, b: 2 }, { a: 1 }] }, 'kernel')),
    /phases\[1\]\.b is missing/,
  );
});

test('what cannot lie in a uniform is told', () => {
  const told = (source: string, what: RegExp) => {
    const message = refusal(() => layout(source));
    assert.match(message, /^kernel: its parameters cannot be laid out: /);
    assert.match(message, what);
  };
  told('struct Params { a: array<u32, 4> }', /array<u32, 4> has elements 4 bytes apart.*multiple of 16/);
  told('struct Params { a: array<vec4u> }', /needs a size/);
  told('struct Params { a: array<vec4u, N> }', /N is not a constant/);
  told('const N = N + 1; struct Params { a: array<vec4u, N> }', /N is not a constant/);
  told('struct Params { a: bool }', /cannot have the type bool/);
  told('struct Params { a: vec2<f16> }', /cannot have the type f16/);
  told('struct Params { a: Params }', /Params contains itself/);
  told('struct In { x: u32 } struct Params { a: u32, b: In }', /Params\.b would begin at byte 4/);
  told('struct In { x: u32 } struct Params { a: In, b: u32 }', /Params\.b would begin at byte 4/);
});

test('numbers out of the range of their type are refused', () => {
  const found = layout('struct Params { u: u32, i: i32, f: f32 }');
  const packed = (u: unknown, i: unknown, f: unknown) =>
    packParams(found, { u, i, f } as Record<string, number>, 'kernel');
  assert.equal([...packed(2 ** 32 - 1, -(2 ** 31), Infinity)], [0xffffffff, 0x80000000, 0x7f800000]);
  assert.equal([...packed(true, false, -0)], [1, 0, 0x80000000]);
  assert.ok(Number.isNaN(new Float32Array(packed(0, 0, NaN).buffer)[2]));
  for (const u of [-1, 2 ** 32, 0.5, NaN, Infinity, '1', null, [1]]) {
    assert.match(
      refusal(() => packed(u, 0, 0)),
      /^kernel: parameter u is .*from 0 to 4294967295 \(u32\)/,
      String(u),
    );
  }
  for (const i of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN]) {
    assert.match(
      refusal(() => packed(0, i, 0)),
      /parameter i is .* to 2147483647 \(i32\)/,
      String(i),
    );
  }
  for (const f of [true, '1', null, {}]) {
    assert.match(
      refusal(() => packed(0, 0, f)),
      /parameter f is .*a number \(f32\)/,
      String(f),
    );
  }
});

test('missing and unknown names are told with the expected ones', () => {
  const flat = layout('struct Params { rows: u32, eps: f32 }');
  const deep = layout('struct Params { rows: u32, eps: f32, sizes: vec2u }');
  for (const [found, rest, more] of [
    [flat, {}, ''],
    [deep, { sizes: [1, 2] }, ', sizes: vec2<u32>'],
  ] as const) {
    const expected = `expected are { rows: u32, eps: f32${more} }`;
    const told = (values: Record<string, number>) => refusal(() => packParams(found, { ...values, ...rest }, 'kernel'));
    assert.is(told({ rows: 1 }), `kernel: parameter eps is missing; ${expected}.`);
    assert.is(told({ rows: 1, epsilon: 1 }), `kernel: parameter eps is missing; ${expected}.`);
    assert.is(told({ rows: 1, eps: 1, ep: 1 }), `kernel: parameter ep is unknown; ${expected}.`);
  }
  // What failed leaves nothing behind.
  assert.equal([...packParams(flat, { rows: 3, eps: 1 }, 'kernel')], [3, 0x3f800000]);
});

test('vectors, matrices and arrays take their elements flat or nested, neither fewer nor more', () => {
  const found = layout('struct Params { a: array<vec4<u32>, 2>, m: mat2x3<f32> }');
  const m = Float32Array.of(1, 2, 3, 4, 5, 6);
  const nested = packParams(
    found,
    {
      a: [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      m: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
    'kernel',
  );
  const flat = packParams(found, { a: [1, 2, 3, 4, 5, 6, 7, 8], m }, 'kernel');
  assert.equal(nested, flat);
  assert.equal([...new Float32Array(flat.buffer).subarray(8)], [1, 2, 3, 0, 4, 5, 6, 0]);
  for (const [a, given] of [
    [[1, 2, 3], 'has 3 elements'],
    [[[1, 2, 3, 4], [1]], 'has 5 elements'],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], 'has 9 elements'],
    [1, 'is 1'],
  ] as const) {
    assert.is(
      refusal(() => packParams(found, { a, m }, 'kernel')),
      `kernel: parameter a ${given}, expected are 8 (array<vec4<u32>, 2>).`,
    );
  }
  assert.match(
    refusal(() => packParams(found, { a: [1, 2, 3, 4, 5, 6, 7, -8], m }, 'kernel')),
    /parameter a\[7\] is -8/,
  );
});

test('a kernel on the device reads every member as it was given', async () => {
  const source = `
struct Inner { x: vec3<f32>, y: i32 }
struct Params {
  a: u32,
  b: vec3<f32>,
  c: f32,
  @align(16) d: i32,
  e: vec2<i32>,
  f: array<vec4<u32>, N>,
  g: mat3x2<f32>,
  h: mat2x3f,
  inner: array<Inner, 2>,
  @size(20) i: f32,
  j: vec2u,
}
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(1)
fn main() {
  out[0] = params.a;
  for (var k = 0u; k < 3u; k++) {
    out[1u + k] = bitcast<u32>(params.b[k]);
  }
  out[4] = bitcast<u32>(params.c);
  out[5] = bitcast<u32>(params.d);
  out[6] = bitcast<u32>(params.e.x);
  out[7] = bitcast<u32>(params.e.y);
  for (var k = 0u; k < 8u; k++) {
    out[8u + k] = params.f[k / 4u][k % 4u];
  }
  for (var k = 0u; k < 6u; k++) {
    out[16u + k] = bitcast<u32>(params.g[k / 2u][k % 2u]);
    out[22u + k] = bitcast<u32>(params.h[k / 3u][k % 3u]);
    out[28u + k] = bitcast<u32>(params.inner[k / 3u].x[k % 3u]);
  }
  out[34] = bitcast<u32>(params.inner[0].y);
  out[35] = bitcast<u32>(params.inner[1].y);
  out[36] = bitcast<u32>(params.i);
  out[37] = params.j.x;
  out[38] = params.j.y;
}
`;
  const constants = { N: 2 };
  const values = {
    a: 4000000000,
    b: [0.5, -1.5, 2.5],
    c: Infinity,
    d: -7,
    e: [-(2 ** 31), 2 ** 31 - 1],
    f: [11, 12, 13, 14, 15, 16, 17, 18],
    g: [21, 22, 23, 24, 25, 26],
    h: [31, 32, 33, 34, 35, 36],
    inner: [
      { x: [41, 42, 43], y: -44 },
      { x: [51, 52, 53], y: -54 },
    ],
    i: 61.25,
    j: [62, 63],
  };
  const output = engine.zeros([39], 'i32');
  engine.dispatch({
    kernel: { name: 'test_params', source: linkWgsl('own.wgsl', { 'own.wgsl': source }) },
    constants,
    buffers: [output.storage],
    params: values,
    workgroups: [1],
  });
  const ints = Int32Array.from(await output.data());
  const read = new Uint32Array(ints.buffer);
  const floats = new Float32Array(ints.buffer);
  assert.equal(
    [...read.subarray(0, 1), ...read.subarray(8, 16), ...read.subarray(37)],
    [values.a, ...values.f, 62, 63],
  );
  assert.equal([...floats.subarray(1, 5)], [...values.b, Infinity]);
  assert.equal([...ints.subarray(5, 8)], [-7, ...values.e]);
  assert.equal([...floats.subarray(16, 34)], [...values.g, ...values.h, 41, 42, 43, 51, 52, 53]);
  assert.equal([...ints.subarray(34, 36)], [-44, -54]);
  assert.is(floats[36], 61.25);
});

test.run();
