/** Whole networks beside PyTorch's own answers, from `test/golden-networks`: names, shapes, logits and gradients. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createResNet,
  crossEntropy,
  loadStateDict,
  MobileNetV2,
  type Module,
  type ResNetName,
  type StateDict,
  stateDict,
  WideResNet,
} from '../src/index.ts';
import { permute, torchShape, toTorch } from '../src/nn/torch-layout.ts';
import { engine, near, relativeL2 } from './support/engine.ts';
import { hashedEntry, hashedImages } from './support/hashed-numbers.ts';

const FOLDER = 'test/golden-networks';
/** What float32 may differ from float64; a convolution that is a tenth off moves the logits a hundred times as far. */
const TOLERANCE = 2e-5;
/** More, for an activation that rounding moves over a ReLU's bend takes its share of a gradient along; a wrong layer is far above it. */
const GRADIENT_TOLERANCE = 1e-2;
const CLASSES = 10;

type Quad = [number, number, number, number];

interface Golden {
  readonly images: Quad;
  readonly variance: number;
  readonly logits: readonly (readonly number[])[];
  readonly gradient?: {
    readonly mode: 'training' | 'inference';
    readonly labels: readonly number[];
    readonly loss: number;
    readonly of: string;
    readonly values: readonly number[];
  };
  readonly tensors: readonly { readonly shapes: Record<string, number[]>; readonly modules: string }[];
}

function newNetwork(name: string): Module {
  if (name === 'mobilenet_v2') return new MobileNetV2(engine, { classes: CLASSES });
  if (name === 'wide_resnet28_10') return new WideResNet(engine, { classes: CLASSES });
  return createResNet(engine, name as ResNetName, { classes: CLASSES, stem: 'imagenet' });
}

/** PyTorch's state, its counts of batches included. */
const stateOf = ({ tensors, variance }: Golden): StateDict =>
  new Map(
    tensors.flatMap(({ shapes, modules }) =>
      modules.split(' ').flatMap((module) =>
        Object.entries(shapes).map(([part, shape]) => {
          const name = `${module}.${part}`;
          return [name, hashedEntry(name, shape, variance)] as const;
        }),
      ),
    ),
  );

/** The two images, which PyTorch has as NCHW. */
function imagesOf({ images }: Golden) {
  const { shape, data } = permute(hashedImages(images.reduce((a, b) => a * b)), images, [0, 2, 3, 1]);
  return engine.tensor(data, shape);
}

const shapesOf = (entries: Iterable<readonly [string, { readonly shape: readonly number[] }]>) =>
  Object.fromEntries([...entries].map(([name, { shape }]) => [name, [...shape]]));

/** One tensor of a state a tenth smaller. */
function lessened(state: StateDict, name: string): StateDict {
  const { shape, data } = state.get(name)!;
  return new Map([[name, { shape, data: Float32Array.from(data, (value) => 0.9 * value) }]]);
}

const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

test('there are cases', () => {
  for (const name of ['resnet50', 'resnet101', 'resnext50_32x4d', 'mobilenet_v2', 'wide_resnet28_10'])
    assert.ok(files.includes(`${name}.json`), name);
});

for (const file of files) {
  const name = file.slice(0, -'.json'.length);
  const golden: Golden = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

  test(`${name} has PyTorch's names, shapes and logits`, async () => {
    const model = newNetwork(name);
    const state = stateOf(golden);
    assert.equal(
      shapesOf(
        [...model.namedTensors()].map(({ name, tensor, layout }) => [
          name,
          { shape: torchShape(tensor.shape, layout) },
        ]),
      ),
      shapesOf([...state].filter(([name]) => !name.endsWith('num_batches_tracked'))),
    );
    loadStateDict(model, state);
    model.eval();
    const x = imagesOf(golden);
    const expected = golden.logits.flat();
    await near(model.forward(x), expected, TOLERANCE, 'logits');

    const convolutions = [...state.keys()].filter((key) => state.get(key)!.shape.length === 4);
    const middle = convolutions[Math.floor(convolutions.length / 2)]!;
    loadStateDict(model, lessened(state, middle), { strict: false });
    const moved = relativeL2(await model.forward(x).data(), expected);
    assert.ok(moved > 100 * TOLERANCE, `${middle} a tenth off moves the logits by ${moved} only`);
    model.dispose();
  });

  const { gradient } = golden;
  if (!gradient) continue;
  test(`${name} has PyTorch's gradient in ${gradient.mode}`, async () => {
    const model = newNetwork(name);
    loadStateDict(model, stateOf(golden));
    model.train(gradient.mode === 'training');
    const loss = crossEntropy(model.forward(imagesOf(golden)), engine.tensor(Int32Array.from(gradient.labels)));
    loss.backward();
    await near(loss, [gradient.loss], 1e-4, 'loss');
    const { tensor, layout } = model.namedParameters().find(({ name }) => name === gradient.of)!;
    const { data } = toTorch(await tensor.grad!.data(), tensor.shape, layout);
    const error = relativeL2(data, gradient.values);
    assert.ok(error < GRADIENT_TOLERANCE, `gradient of ${gradient.of}: relative L2 error ${error}`);
    model.dispose();
  });
}

test('a state goes out as it came in', async () => {
  const state = stateOf(JSON.parse(readFileSync(join(FOLDER, 'mobilenet_v2.json'), 'utf8')));
  const model = newNetwork('mobilenet_v2');
  loadStateDict(model, state);
  const out = await stateDict(model);
  assert.equal([...out.keys()].sort(), [...state.keys()].filter((key) => !key.endsWith('num_batches_tracked')).sort());
  for (const [key, { shape, data }] of out) {
    assert.equal([...shape], [...state.get(key)!.shape], key);
    assert.is(relativeL2(data, state.get(key)!.data), 0, key);
  }
  model.dispose();
});

test.run();
