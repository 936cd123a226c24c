/** Optimizers' kernels for several parameters, made of a file for one. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import adam from '../shaders/optim/adam.wgsl';
import clipGradients from '../shaders/optim/clip-gradients.wgsl';
import sgd from '../shaders/optim/sgd.wgsl';
import slots from '../shaders/optim/slots.wgsl';
import unscale from '../shaders/optim/unscale.wgsl';
import { withSlots } from '../src/build/slot-kernel.ts';
import { ArgumentError } from '../src/errors.ts';
import type { WgslFile } from '../src/gpu/wgsl/file.ts';
import { linked } from '../src/gpu/wgsl/link.ts';
import { linkWgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import { bindingsOf } from '../src/gpu/wgsl/reflect.ts';
import { Module, parameter, SGD, type Tensor } from '../src/index.ts';
import { forSlots as written } from '../src/optim/slot-text.ts';
import { engine, errorOf, uniform } from './support/engine.ts';

/** A file of the test's own. */
/** The project's own files have been taken apart by the build. */
const forSlots = (source: WgslFile, slots: number): WgslFile =>
  written(source.slots ? source : withSlots(source), slots);

const file = (text: string): WgslFile => linkWgsl('own.wgsl', { 'own.wgsl': text });

/** Twice each value of a slot, plus a number of the slot's, and which workgroups wrote something. */
const MOVE = `@group(0) @binding(0) var<storage, read> shift: array<f32>;
@group(0) @binding(1) var<storage, read> slot_from: array<f32>;
@group(0) @binding(2) var<storage, read_write> slot_to: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> ended: array<u32>;

fn slot_move(group: vec3<u32>, lane: u32) -> u32 {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_to[i] = 2.0 * slot_from[i] + shift[slot_index];
    return 1u;
  }
  return 0u;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var mine = 0u;
  mine += slot_move(group, lane);
  if (lane == 0u) {
    ended[group.x] = mine;
  }
}
`;
const move = linkWgsl('move.wgsl', { 'move.wgsl': `// import slots.wgsl\n${MOVE}`, 'slots.wgsl': slots.text });

/** Runs the kernel on parameters of these sizes: what it writes for each, and what each workgroup's first thread wrote. */
async function moved(source: WgslFile, sizes: readonly number[]): Promise<{ results: number[][]; ended: number[] }> {
  const groups = sizes.map((size) => Math.ceil(size / 64));
  const total = groups.reduce((a, b) => a + b, 0);
  const firsts = groups.map((_, i) => groups.slice(0, i).reduce((a, b) => a + b, 0));
  const eight = (values: readonly number[]) => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);
  const from = sizes.map((size, i) => engine.tensor(uniform(size, i)));
  const to = sizes.map((size) => engine.zeros([size]));
  const ended = engine.zeros([total], 'u32');
  const shift = engine.tensor(sizes.map((_, i) => 10 * i));
  const between = from.flatMap((tensor, i) => [tensor, to[i] as Tensor]);
  engine.dispatch({
    kernel: { name: 'test_slots', source },
    buffers: [shift, ...between, ended].map((tensor) => tensor.storage),
    params: { sizes: eight(sizes), firsts: eight(firsts), row: total, groups: total, before: 0, earlier: 0, value: 0 },
    workgroups: [total],
  });
  const results = await Promise.all(to.map(async (tensor) => [...(await tensor.data())]));
  return { results, ended: [...(await ended.data())] };
}

test('one slot is the file as it stands', async () => {
  const asItStands = await moved(move, [150]);
  assert.equal(asItStands.results, [[...uniform(150, 0)].map((x) => Math.fround(2 * x))]);
  assert.equal(asItStands.ended, [1, 1, 1]);
  assert.equal(await moved(forSlots(move, 1), [150]), asItStands);
});

test('each slot has buffers, a place and a number of its own', async () => {
  const sizes = [70, 3, 64];
  const { results, ended } = await moved(forSlots(move, 3), sizes);
  const expected = sizes.map((size, k) => [...uniform(size, k)].map((x) => Math.fround(Math.fround(2 * x) + 10 * k)));
  assert.equal(results, expected);
  assert.equal(ended, [1, 1, 1, 1]);
});

test('buffers are bound slot by slot, with what the slots share around them', () => {
  const names = (slotCount: number) =>
    bindingsOf(linked(forSlots(move, slotCount)), 'main').map(({ name, binding }) => `${binding} ${name}`);
  assert.equal(names(3), [
    '0 shift',
    '1 slot0_from',
    '2 slot0_to',
    '3 slot1_from',
    '4 slot1_to',
    '5 slot2_from',
    '6 slot2_to',
    '7 params',
    '8 ended',
  ]);
  assert.equal(names(1), ['0 shift', '1 slot0_from', '2 slot0_to', '3 params', '4 ended']);
});

const files: [WgslFile, string, number, number][] = [
  [sgd, 'plain', 2, 1],
  [sgd, 'momentum', 3, 1],
  [adam, 'main', 4, 1],
  [unscale, 'main', 2, 2],
  [clipGradients, 'norm', 1, 1],
  [clipGradients, 'scale', 1, 1],
  [clipGradients, 'limit', 1, 0],
];
for (const [source, entry, each, shared] of files) {
  test(`${source.name} ${entry}: ${shared} shared buffers, ${each} a slot, and the uniform last`, () => {
    for (const count of [1, 3, 7]) {
      const bindings = bindingsOf(linked(forSlots(source, count)), entry);
      assert.is(bindings.length, shared + count * each + 1);
      assert.is(bindings.at(-1)?.type, 'uniform');
      const owners = bindings.slice(shared, -1).map(({ name }) => Number(/^slot(\d+)_/.exec(name)?.[1]));
      assert.equal(
        owners,
        Array.from({ length: count * each }, (_, i) => Math.floor(i / each)),
      );
    }
  });
}

test('the same file and number give the same value, so that there is one pipeline', () => {
  assert.is(forSlots(sgd, 5), forSlots(sgd, 5));
  assert.is(linked(forSlots(sgd, 5)), linked(forSlots(sgd, 5)));
  assert.is.not(forSlots(sgd, 5), forSlots(sgd, 2));
});

class Parts extends Module {
  readonly parts: readonly Tensor[];

  constructor(seeds: readonly number[]) {
    super(engine);
    this.parts = seeds.map((seed) => parameter(engine, [1 + 37 * seed], (i) => Math.sin(i + seed)));
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

test('parameters that are updated together get the bits that they get alone', async () => {
  const seeds = [0, 1, 2, 3, 4, 5, 6];
  const step = async (module: Parts): Promise<number[][]> => {
    const optimizer = new SGD(module, { lr: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov: true });
    for (let turn = 0; turn < 3; turn++) {
      for (const part of module.parts) part.grad = engine.tensor(uniform(part.size, part.size + turn)).moveTo(null);
      optimizer.step();
      optimizer.zeroGrad();
    }
    const values = await Promise.all(module.parts.map(async (part) => [...(await part.data())]));
    optimizer.dispose();
    module.dispose();
    return values;
  };
  const alone: number[][] = [];
  for (const seed of seeds) alone.push(...(await step(new Parts([seed]))));
  assert.equal(await step(new Parts(seeds)), alone);
});

const BINDING = '@group(0) @binding(0) var<storage> slot_a: array<f32>;\n';

test('only whole words of code are markers, and comments stay where they are', () => {
  const text = `enable f16; // slot_x
/* of slot_x /* and slot_y */ too */
${BINDING}// slot_b is not there.
fn my_slot_a(slot: u32, t: Theirs) -> u32 { return slot + t.slot_m; }
@diagnostic(off, derivative_uniformity)
fn slot_f() { /* slot_z; } */ slot_a[slot_index] += 1.0; }
fn main() {
  for (var i = 0u; i < 2u; i++) { // unrolled
    slot_f();
    my_slot_a(i, Theirs(1u));
  }
}
// The end: slot_c.
`;
  assert.is(
    forSlots(file(text), 2).text,
    `enable f16; // slot_x
/* of slot_x /* and slot_y */ too */
@group(0) @binding(0) var<storage> slot0_a: array<f32>;@group(0) @binding(1) var<storage> slot1_a: array<f32>;
// slot_b is not there.
fn my_slot_a(slot: u32, t: Theirs) -> u32 { return slot + t.slot_m; }
@diagnostic(off, derivative_uniformity)
fn slot0_f() { /* slot_z; } */ slot0_a[0u] += 1.0; }
@diagnostic(off, derivative_uniformity)
fn slot1_f() { /* slot_z; } */ slot1_a[1u] += 1.0; }
fn main() {
  for (var i = 0u; i < 2u; i++) { // unrolled
    slot0_f(); // unrolled
    slot1_f();
    my_slot_a(i, Theirs(1u));
  }
}
// The end: slot_c.
`,
  );
});

/** What a file is refused for. */
const refusals: [string, string, RegExp][] = [
  [
    'an unknown name',
    'fn main() { slot_b[0] = slot_aa[0]; }',
    /own\.wgsl: slot_b is unknown; a slot has slot_a, slot_index\..*Did you mean slot_a\?/,
  ],
  ['a name of the result', 'fn main() { slot0_a(); }', /slot0_a is the name of something made for a slot/],
  ['the number declared', 'const slot_index = 1u;', /slot_index is the slot's number/],
  [
    'a variable of a slot in a function of all',
    'fn main() { let x = slot_a[0]; }',
    /main has slot_a in a "let" statement.*slot_main/,
  ],
  ['a result of one slot', 'fn one() -> f32 { return slot_a[0]; }', /one has slot_a in a "return" statement/],
  ['a condition', 'fn main() { if (slot_a[0] > 0.0) { return; } }', /main has slot_a in the head of a block/],
  [
    'a loop',
    'fn main() { for (var i = slot_a[0]; i < 1.0; i += 1.0) { work(); } }',
    /main has slot_a in the head of a block/,
  ],
  ['a constant made of a slot', 'const twice = slot_index * 2u;', /twice mentions slot_index.*Call it slot_twice/],
  ['a check without a name', 'const_assert slot_index < 8u;', /const_assert slot_index < 8u; mentions slot_index/],
  [
    'bindings of a slot apart',
    '@group(0) @binding(2) var<storage> slot_b: array<f32>;',
    /must follow each other, from 0 up to 1; slot_b has 2/,
  ],
  [
    'a shared binding between',
    '@group(0) @binding(0) var<storage> b: array<f32>;',
    /must follow each other, from 0 up to 0; b has 0/,
  ],
  [
    'a binding that is not a number',
    '@group(0) @binding(N) var<storage> b: array<f32>;',
    /the binding of b must be a number/,
  ],
];
for (const [what, text, message] of refusals) {
  test(`refuses ${what}`, () => {
    const error = errorOf(() => forSlots(file(BINDING + text), 2));
    assert.instance(error, ArgumentError);
    assert.match(error.message, message);
  });
}

test('refuses files without slots', () => {
  assert.match(errorOf(() => forSlots(file('fn main() {}'), 1)).message, /no binding belongs to a slot.*slot_/);
});

test.run();
