import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { METHOD_CASES } from '../bench/conformance/golden-methods.ts';
import { golden } from '../bench/conformance/golden-runner.ts';
import { readSafetensors, type SafetensorsEntry, writeSafetensors } from '../src/nn/safetensors.ts';

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await golden(args, (line) => lines.push(line));
  return { code, lines };
}

/** Runs the runner on a folder of these files. */
async function runOn(files: Record<string, Uint8Array>): Promise<{ code: number; lines: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const f32 = (shape: number[], data: number[]): SafetensorsEntry => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

/** A 1×1 convolution of two pixels of one channel: 2x, strided so that only the first is seen. */
const byHand = (change: Record<string, SafetensorsEntry> = {}, args: object = { stride: [1, 2], padding: [0, 0] }) =>
  writeSafetensors(
    Object.entries({
      x: f32([1, 1, 1, 2], [3, 5]),
      weight: f32([1, 1, 1, 1], [2]),
      y: f32([1, 1, 1, 1], [6]),
      dy: f32([1, 1, 1, 1], [0]),
      dx: f32([1, 1, 1, 2], [0, 0]),
      dweight: f32([1, 1, 1, 1], [0]),
      ...change,
    }),
    { case: 'conv2d', args: JSON.stringify(args), layout: 'NCHW/OIHW' },
  );

test('every golden file is met', async () => {
  const { code, lines } = await run('test/golden');
  assert.equal(
    lines.filter((line) => line.startsWith('FAILED')),
    [],
  );
  assert.match(lines.at(-1)!, /^\d+ passed, 0 failed$/);
  assert.is(code, 0);
});

test('every golden file is met by every variant of the kernels', async () => {
  const { code, lines } = await run('test/golden', '--variant', 'all');
  assert.equal(
    lines.filter((line) => line.startsWith('FAILED')),
    [],
  );
  const files = readdirSync('test/golden').filter((name) => name.endsWith('.safetensors')).length;
  const passed = Number(/^(\d+) passed, 0 failed$/.exec(lines.at(-1)!)?.[1]);
  assert.ok(passed > files && passed % files === 0, lines.at(-1));
  for (const by of ['rules', 'tiled', 'rules for (hardware|software)']) {
    assert.ok(
      lines.some((line) => new RegExp(`^ok     conv2d\\w* by ${by}: `).test(line)),
      by,
    );
  }
  assert.is(code, 0);
});

const METHODS = 'test/golden-methods';

test('every case of the methods’ own rules is met', async () => {
  const { code, lines } = await run(METHODS);
  assert.equal(
    lines.filter((line) => line.startsWith('FAILED')),
    [],
  );
  const met = new Set(lines.map((line) => /^ok .*?: (\w+),/.exec(line)?.[1]).filter(Boolean));
  assert.equal([...met].sort(), Object.keys(METHOD_CASES).sort());
  assert.is(code, 0);
});

test('no answer of a method’s case is passed over: each one that is off fails, by its name', async () => {
  const files: Record<string, Uint8Array> = {};
  for (const file of readdirSync(METHODS)) {
    const { tensors, metadata } = readSafetensors(readFileSync(join(METHODS, file)));
    for (const [name, entry] of tensors) {
      const isChoice = ['chosen', 'predicted', 'auxiliary_targets'].includes(name);
      if (!isChoice && (entry.dtype !== 'F64' || name === 'matrix')) continue;
      const data = entry.data.slice() as Float64Array<ArrayBuffer>;
      const largest = data.reduce((at, value, i) => (Math.abs(value) > Math.abs(data[at]!) ? i : at), 0);
      data[largest]! += isChoice ? 1 : 1e-3 * (Math.abs(data[largest]!) || 1);
      const off = new Map(tensors).set(name, { ...entry, data });
      files[`${file.slice(0, -'.safetensors'.length)} ${name}.safetensors`] = writeSafetensors(off, metadata);
    }
  }
  const { lines } = await runOn(files);
  assert.is(lines.length, Object.keys(files).length + 1);
  for (const line of lines.slice(0, -1)) assert.match(line, /^FAILED \S+ (\w+): .*worst \S+ \(\1\)/);
});

test('a variant that does not exist is refused', async () => {
  const { code, lines } = await run('test/golden', '--variant', 'fast');
  assert.is(code, 2);
  assert.match(lines[0]!, /unknown variant 'fast' for .*; there are 'rules', .*'tiled', .*'rules for \w+' and 'all'/);
});

test('pairs, a missing bias and references of zeros are understood', async () => {
  const { code, lines } = await runOn({ 'any name.safetensors': byHand(), 'notes.txt': new Uint8Array(3) });
  assert.match(lines[0]!, /^ok {5}any name: conv2d, 3 compared, worst 0\.00e\+0/);
  assert.equal(lines.slice(1), ['1 passed, 0 failed']);
  assert.is(code, 0);
});

test('what is off, missing or damaged fails by its name, and the rest still runs', async () => {
  const conv = readFileSync('test/golden/conv2d_3.safetensors');
  const { tensors, metadata } = readSafetensors(conv);
  const dx = tensors.get('dx')!;
  const off = new Map(tensors).set('dx', { ...dx, data: (dx.data as Float32Array).map((v) => v * 1.00002) });
  const { code, lines } = await runOn({
    'a.safetensors': writeSafetensors(off, metadata),
    'b.safetensors': conv.subarray(0, 3000),
    'c.safetensors': writeSafetensors(tensors, { ...metadata, case: 'warp_drive' }),
    'd.safetensors': byHand({ y: f32([1, 1, 1, 1], [Number.NaN]) }),
    'e.safetensors': byHand({ dx: f32([1, 1, 1, 2], [0, 1e-4]) }),
    'f.safetensors': byHand({ dx: f32([1, 1, 2, 1], [0, 0]) }),
    'g.safetensors': byHand({}, { stride: 2, groups: 2 }),
    'h.safetensors': byHand({ x: f32([1, 1, 1, 2], [Number.NaN, 5]) }),
    'i.safetensors': byHand(),
    'j.safetensors': writeSafetensors(tensors, {}),
    'k.safetensors': byHand({}, { stride: 'wide' }),
  });
  const expected = [
    /^FAILED a: .* 2\.00e-5 \(dx\), at most 0\.00001 allowed/,
    /^FAILED b: b\.safetensors: .*cut off/,
    /^FAILED c: unknown case "warp_drive"; known: conv1d, conv2d, .*resnet/,
    /^FAILED d: .*worst Infinity \(y\)/,
    /^FAILED e: .*\(dx\)/,
    /^FAILED f: dx has shape \[1, 1, 1, 2\]; the reference \[1, 1, 2, 1\]/,
    /^FAILED g: .*groups is 2; a whole number that divides both 1 channels/,
    /^FAILED h: .*worst Infinity/,
    /^ok {5}i: /,
    /^FAILED j: __metadata__ names no case/,
    /^FAILED k: argument stride is "wide"/,
    /^1 passed, 10 failed$/,
  ];
  expected.forEach((pattern, i) => {
    assert.match(lines[i]!, pattern);
  });
  assert.is(lines.length, expected.length);
  assert.is(code, 1);
});

test('convolutions have all of PyTorch’s settings', async () => {
  const file = (name: string, args: object, entries: Record<string, SafetensorsEntry>) =>
    writeSafetensors(Object.entries(entries), { case: name, args: JSON.stringify(args), layout: 'NCHW/OIHW' });
  const { lines } = await runOn({
    'a.safetensors': file(
      'conv2d',
      { stride: 1, padding: 'same', groups: 2, dilation: [1, 3] },
      {
        x: f32([1, 2, 1, 1], [3, 5]),
        weight: f32([2, 1, 1, 3], [9, 2, 9, 9, 7, 9]),
        y: f32([1, 2, 1, 1], [6, 35]),
        dy: f32([1, 2, 1, 1], [1, 10]),
        dx: f32([1, 2, 1, 1], [2, 70]),
        dweight: f32([2, 1, 1, 3], [0, 3, 0, 0, 50, 0]),
      },
    ),
    'b.safetensors': file(
      'conv_transpose2d',
      { stride: [1, 2], output_padding: [0, 1] },
      {
        x: f32([1, 1, 1, 2], [3, 5]),
        weight: f32([1, 2, 1, 2], [1, 10, 2, 20]),
        bias: f32([2], [0.5, 0]),
        y: f32([1, 2, 1, 5], [3.5, 30.5, 5.5, 50.5, 0.5, 6, 60, 10, 100, 0]),
        dy: f32([1, 2, 1, 5], [1, 1, 0, 0, 0, 0, 0, 1, 0, 9]),
        dx: f32([1, 1, 1, 2], [11, 2]),
        dweight: f32([1, 2, 1, 2], [3, 3, 5, 0]),
        dbias: f32([2], [2, 10]),
      },
    ),
    'c.safetensors': file(
      'conv1d',
      { dilation: 2 },
      {
        x: f32([1, 1, 4], [1, 2, 3, 4]),
        weight: f32([2, 1, 2], [1, 10, 0, 1]),
        y: f32([1, 2, 2], [31, 42, 3, 4]),
        dy: f32([1, 2, 2], [1, 0, 0, 1]),
        dx: f32([1, 1, 4], [1, 0, 10, 1]),
        dweight: f32([2, 1, 2], [1, 3, 2, 4]),
      },
    ),
  });
  assert.equal(
    lines.map((line) => line.split(':')[0]!.trim()),
    ['ok     a', 'ok     b', 'ok     c', '3 passed, 0 failed'],
  );
});

test('a folder that is missing or empty is said so', async () => {
  const told = async (code: number, pattern: RegExp, outcome: Promise<{ code: number; lines: string[] }>) => {
    const got = await outcome;
    assert.is(got.code, code);
    assert.match(got.lines.join('\n'), pattern);
  };
  await told(2, /usage: npm run -s golden -- DIR/, run());
  await told(2, /no such file or directory/, run('test/no-such-folder'));
  await told(2, /there is no \*\.safetensors file in/, runOn({ 'x.txt': new Uint8Array(1) }));
  await told(2, /Unknown option '--fast'/, run('test/golden', '--fast'));
});

test.run();
