/** Weights to bytes and back: dtypes, what does not fit, and the name of the file in every error. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  copyModule,
  createResNet,
  type DType,
  Linear,
  type LoadOptions,
  loadStateDict,
  loadWeights,
  Module,
  readSafetensors,
  type SafetensorsEntry,
  Sequential,
  type StateDict,
  saveWeights,
  stateDict,
  type Tensor,
  writeSafetensors,
} from '../src/index.ts';
import { engine, errorOf, near, needs } from './support/engine.ts';

/** One value of each dtype the engine can hold, odd in number. */
class Mixed extends Module {
  readonly weight: Tensor;
  readonly steps: Tensor;
  readonly offsets: Tensor;

  constructor(start: number, dtype: DType = 'f32') {
    super(engine);
    const some = (values: number[], of: DType) => engine.keep(engine.tensor(values, [3], of));
    this.weight = some([start + 0.5, start + 1.25, -start], dtype);
    this.weight.requiresGrad = true;
    this.steps = some([start, 2 ** 32 - 1, 0], 'u32');
    this.offsets = some([-start, 2 ** 31 - 1, -(2 ** 31)], 'i32');
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

async function elements(module: Module): Promise<number[][]> {
  return Promise.all([...module.namedTensors()].map(async ({ tensor }) => [...(await tensor.data())]));
}

/** Saved and loaded, and copied, into another that held other numbers. */
async function travels(dtype: DType): Promise<void> {
  const source = new Mixed(7, dtype);
  const bytes = await saveWeights(source);
  assert.equal(
    [...readSafetensors(bytes).tensors].map(([name, entry]) => `${name} ${entry.dtype}`),
    ['weight F32', 'steps U32', 'offsets I32'],
  );
  const loaded = new Mixed(1, dtype);
  loadWeights(loaded, bytes);
  assert.equal(await elements(loaded), await elements(source));
  const copied = new Mixed(2, dtype);
  copyModule(source, copied);
  assert.equal(await elements(copied), await elements(source));
  await engine.sync();
}

test('integers are saved and loaded as what they are', () => travels('f32'));

needs('shader-f16')('f16 parameters are saved exactly, loaded and copied', async () => {
  await travels('f16');
  const error = errorOf(() => copyModule(new Mixed(1, 'f16'), new Mixed(1)));
  assert.match(
    error.message,
    /copyModule: the models differ: "weight" Tensor\(f16\[3\]\) in one, .*f32\[3\]\) in the other/,
  );
  // f32 into f16: rounded.
  const half = new Mixed(1, 'f16');
  const entry = { shape: [3], data: Float32Array.of(1 / 3, 2049, -1e-9) };
  loadStateDict(half, new Map([['weight', entry]]), { strict: false });
  await near(half.weight, [0.333251953125, 2048, 0], 0);
});

const vector = (dtype: SafetensorsEntry['dtype'], data: SafetensorsEntry['data']): SafetensorsEntry => ({
  dtype,
  shape: [data.length],
  data,
});

test('integers of other widths load where they fit, and are refused where not', async () => {
  const model = new Mixed(1);
  const file = (steps: SafetensorsEntry) =>
    writeSafetensors([
      ['weight', vector('F64', Float64Array.of(1, 2, 3))],
      ['steps', steps],
      ['offsets', vector('U8', Uint8Array.of(1, 2, 3))],
    ]);
  loadWeights(model, file(vector('I64', BigInt64Array.of(5n, 4_000_000_000n, 0n))));
  assert.equal(await elements(model), [
    [1, 2, 3],
    [5, 4_000_000_000, 0],
    [1, 2, 3],
  ]);
  for (const steps of [
    vector('I64', BigInt64Array.of(0n, 2n ** 32n, 0n)),
    vector('I32', Int32Array.of(0, -1, 0)),
    vector('F32', Float32Array.of(0.5, 0, 0)),
  ]) {
    const error = errorOf(() => loadWeights(model, file(steps), 'counts.safetensors'));
    assert.match(error.message, /^counts\.safetensors: .* Mismatched: "steps" holds numbers that are not u32\./);
  }
  assert.equal((await elements(model))[1], [5, 4_000_000_000, 0]);
});

test('PyTorch’s batch counters are passed over, but for a buffer of that name', async () => {
  class Counting extends Module {
    readonly numBatchesTracked = engine.keep(engine.zeros([1], 'u32'));

    constructor() {
      super(engine);
    }

    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const counting = new Counting();
  loadWeights(counting, writeSafetensors([['num_batches_tracked', vector('I64', BigInt64Array.of(9n))]]));
  assert.equal(await elements(counting), [[9]]);
});

test('every error of loading names the file, what does not fit, and what to do', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 5, width: 4 });
  const before = await stateDict(model);
  const bytesOf = (state: StateDict) =>
    writeSafetensors(
      [...state].map(
        ([name, { shape, data }]) => [name, { dtype: 'F32', shape, data: Float32Array.from(data) }] as const,
      ),
    );
  const changed = (change: (state: StateDict) => void) => {
    const state: StateDict = new Map(
      [...before].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => x + 1) }]),
    );
    change(state);
    return bytesOf(state);
  };
  const renamed = (rename: (name: string) => string) =>
    bytesOf(new Map([...before].map(([name, entry]) => [rename(name), entry])));
  const wide = await saveWeights(createResNet(engine, 'resnet8', { classes: 5, width: 8 }));
  const partly: LoadOptions = { strict: false };
  const tells: [Uint8Array, LoadOptions, RegExp][] = [
    [
      changed((s) => s.delete('fc.bias')),
      {},
      /Missing: "fc\.bias"\. Create .* With \{ strict: false \} what fits is loaded\./,
    ],
    [
      changed((s) => {
        for (const name of ['x', 'y', 'z', 'zz']) s.set(name, s.get('fc.bias')!);
      }),
      {},
      /Not in the model: "x", "y", "z" and 1 more\. Create/,
    ],
    [
      wide,
      {},
      /model\. Mismatched: "conv1\.weight" has shape \[8, 3, 3, 3\], the model \[4, 3, 3, 3\], .*, .* and \d+ more\. Create the model/,
    ],
    [wide, partly, /model\. Mismatched: /],
    [
      renamed((name) => `net.${name}`),
      {},
      /Missing: .*Not in the model: .* begin with "net\.": remove that before loading/,
    ],
    [wide.subarray(0, 4), {}, /cut off/],
    [wide.subarray(0, 400), {}, /cut off/],
  ];
  for (const [bytes, options, expected] of tells) {
    const error = errorOf(() => loadWeights(model, bytes, 'runs/a.safetensors', options));
    assert.is(error.name, 'CheckpointError');
    assert.ok(error.message.startsWith('runs/a.safetensors: '), error.message);
    assert.match(error.message, expected);
  }
  const inside = new Sequential(engine, model);
  assert.match(
    errorOf(() => loadWeights(inside, bytesOf(before))).message,
    /^loadWeights: .* begin with "0\.": load into that part of it/,
  );
  assert.equal(await stateDict(model), before);
});

test('what is left out of a lenient load is told', () => {
  const model = new Linear(engine, 2, 2);
  const state: StateDict = new Map([
    ['bias', { shape: [2], data: Float32Array.of(1, 2) }],
    ['scale', { shape: [1], data: Float32Array.of(1) }],
  ]);
  assert.equal(loadStateDict(model, state, { strict: false }), { missing: ['weight'], unexpected: ['scale'] });
});

test.run();
