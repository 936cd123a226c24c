import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointError } from '../src/errors.ts';
import { asFloat32, asInt32, readSafetensors, type SafetensorsEntry, writeSafetensors } from '../src/nn/safetensors.ts';

const entries: [string, SafetensorsEntry][] = [
  ['weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-40, Infinity, 5, Math.fround(0.1)) }],
  ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['exact', { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) }],
  ['step', { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 40n)) }],
  ['labels', { dtype: 'I32', shape: [2], data: Int32Array.of(-1, 7) }],
  ['counter', { dtype: 'U32', shape: [1], data: Uint32Array.of(0xffffffff) }],
  ['none', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
];

/** A file with this header and these bytes after it. */
function file(header: string, data: readonly number[] = []): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const refused = (bytes: Uint8Array, message: RegExp) =>
  assert.throws(
    () => readSafetensors(bytes, 'some.safetensors'),
    (error: Error) =>
      error instanceof CheckpointError && error.message.startsWith('some.safetensors: ') && message.test(error.message),
  );

test('what is written is read, bit for bit, wherever it lies in memory', () => {
  const bytes = writeSafetensors(entries, { note: 'größer', format: 'pt' });
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  for (const given of [bytes, shifted.subarray(3)]) {
    const { tensors, metadata } = readSafetensors(given);
    assert.equal(metadata, { note: 'größer', format: 'pt' });
    assert.equal([...tensors], entries);
  }
  assert.equal(readSafetensors(writeSafetensors([])).tensors.size, 0);
});

test('a file written by PyTorch is read', () => {
  const { tensors, metadata } = readSafetensors(readFileSync('test/golden/conv2d_0.safetensors'));
  assert.is(metadata.case, 'conv2d');
  assert.equal(tensors.get('weight')?.shape, [4, 3, 3, 3]);
  assert.is(tensors.get('weight')?.data.length, 108);
  assert.ok(asFloat32(tensors.get('dx')!).every(Number.isFinite));
});

test('half floats are read as floats', () => {
  const header =
    '{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}';
  const halves = [0x3c00, 0xc100, 0x0001, 0x7c00, 0x7bff, 0x8000];
  const data = new Uint8Array(Uint16Array.from([...halves, 0x3fc0, 0xff80]).buffer);
  const { tensors } = readSafetensors(file(header, [...data]));
  assert.equal([...tensors.get('h')!.data], [1, -2.5, 2 ** -24, Infinity, 65504, -0]);
  assert.equal([...tensors.get('b')!.data], [1.5, -Infinity]);
  assert.is(tensors.get('h')?.dtype, 'F32');
});

test('numbers change their type where it is asked for', () => {
  const { tensors } = readSafetensors(writeSafetensors(entries));
  assert.equal([...asFloat32(tensors.get('exact')!)], [Math.fround(0.1)]);
  assert.equal([...asFloat32(tensors.get('step')!)], [-(2 ** 40)]);
  assert.equal([...asInt32({ dtype: 'I64', shape: [1], data: BigInt64Array.of(-3n) })], [-3]);
  assert.equal([...asInt32(tensors.get('labels')!)], [-1, 7]);
});

test('a file cut anywhere is refused', () => {
  const bytes = writeSafetensors(entries.slice(0, -1));
  for (let n = 0; n < bytes.length; n++) refused(bytes.subarray(0, n), /cut off|not JSON/);
});

test('damaged files are refused by what is wrong', () => {
  refused(new Uint8Array(1000).fill(0xff), /not a safetensors file: its header would have 18446744073709551615 bytes/);
  refused(new TextEncoder().encode('<html>\n</html>\n'), /not a safetensors file/);
  refused(file('{"a": '), /the header is not JSON/);
  refused(file('[1]'), /not a JSON object/);
  refused(file('{"__metadata__": {"a": 1}}'), /__metadata__ is not an object of strings/);
  refused(file('{"a": {"dtype": "F32", "shape": [1]}}'), /entry of "a" needs dtype, shape and data_offsets/);
  refused(file('{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', [0, 0, 0, 0]), /entry of "a" needs/);
  refused(file('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}', [0, 0, 0, 0]), /entry of "a" needs/);
  refused(
    file('{"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}', Array(8).fill(0)),
    /dtype C64; F64, F32/,
  );
  refused(file('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', [0, 0, 0, 0]), /needs 8 bytes, has 4/);
});

/** A header with an entry of bytes, from and to as given, for each name. */
const spans = (...entries: [name: string, from: number, to: number][]): string =>
  `{${entries.map(([name, from, to]) => `"${name}":{"dtype":"U8","shape":[${to - from}],"data_offsets":[${from},${to}]}`).join()}}`;

test('every byte of a file belongs to one tensor', () => {
  const good = spans(['b', 2, 4], ['none', 2, 2], ['a', 0, 2]);
  assert.equal([...readSafetensors(file(good, [1, 2, 3, 4])).tensors.get('b')!.data], [3, 4], 'in any order');
  refused(
    file(spans(['a', 0, 2], ['b', 1, 3]), [1, 2, 3]),
    /"b" and "a" overlap: bytes \d+ to \d+ would be read twice/,
  );
  refused(file(spans(['a', 0, 2], ['b', 0, 2]), [1, 2]), /overlap/);
  refused(file(spans(['a', 0, 1], ['b', 2, 3]), [1, 2, 3]), /bytes \d+ to \d+, before "b", belong to no tensor/);
  refused(file(spans(['a', 1, 3]), [1, 2, 3]), /before "a", belong to no tensor/);
  refused(file(spans(['a', 0, 1]), [1, 2, 3]), /the last 2 bytes belong to no tensor: the file goes on too long/);
  refused(file('{}', [7]), /the last 1 bytes belong to no tensor/);
});

test('a header that readers could take in two ways is refused', () => {
  const twice = `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061" :{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`;
  refused(file(twice, [1, 2]), /the header cannot be trusted: it names "a" twice/);
  refused(file('{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', [1, 2]), /names "shape" twice/);
  refused(file('{"__metadata__":{"k":"{\\"k\\": 1}","k":"w"}}'), /names "k" twice/);
  refused(file(`{"a":${'['.repeat(1e6)}`), /nested deeper than 3 levels/);
  refused(file(' {}'), /not a JSON object/);
  refused(file('\ufeff{}'), /not a JSON object/);
});

test('names that objects have of their own are names like others', () => {
  for (const dtype of ['constructor', '__proto__', 'toString']) {
    refused(
      file(`{"a":{"dtype":"${dtype}","shape":[1],"data_offsets":[0,2]}}`, [1, 2]),
      new RegExp(`"a" has dtype ${dtype}; F64, F32`),
    );
  }
  const named: [string, SafetensorsEntry][] = ['__proto__', 'constructor', 'hasOwnProperty'].map((name, i) => [
    name,
    { dtype: 'U8', shape: [1], data: Uint8Array.of(i) },
  ]);
  assert.equal([...readSafetensors(writeSafetensors(named)).tensors], named);
});

test('what a damaged file says is told in one short line', () => {
  const name = `\u001b[31m\n${'long'.repeat(100)}`;
  const error = caught(() => readSafetensors(file(JSON.stringify({ [name]: 1 }))));
  assert.match(error.message, /^safetensors: the entry of "\\u001b\[31m\\nlonglong[long]*…" needs dtype/);
  assert.ok(error.message.length < 250, error.message);
});

const caught = (run: () => unknown): Error => {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('nothing was thrown') as never;
};

test('whatever bits turn over and wherever it is cut, a file is read or refused', () => {
  const whole = writeSafetensors(entries, { format: 'pt' });
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(whole.length), (flips, length) => {
      const bytes = whole.slice(0, flips.length === 0 ? length : whole.length);
      for (const [at, bits] of flips) bytes[at]! ^= bits;
      try {
        const { tensors } = readSafetensors(bytes);
        let held = 0;
        for (const { data } of tensors.values()) held += data.byteLength;
        assert.ok(held <= 2 * bytes.length, 'no more than the file holds');
      } catch (error) {
        assert.instance(error, CheckpointError);
        assert.not.match((error as Error).message, /\p{Cc}/u);
      }
    }),
    { numRuns: 2000, seed: 7 },
  );
});

test('what does not fit its shape is not written', () => {
  const write = (entry: SafetensorsEntry) => () => writeSafetensors([['w', entry]]);
  const short: SafetensorsEntry = { dtype: 'F32', shape: [3], data: Float32Array.of(1, 2) };
  assert.throws(write(short), /w: Float32Array of 2 elements does not hold F32\[3\]/);
  assert.throws(write({ ...short, dtype: 'I32', shape: [2] }), /Give a Int32Array of 2 elements/);
  const fine: [string, SafetensorsEntry] = ['w', { ...short, shape: [2] }];
  assert.throws(() => writeSafetensors([fine, fine]), /given twice/);
});

test.run();
