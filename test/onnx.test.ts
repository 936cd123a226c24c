import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exportOnnx } from '../src/entries/onnx.ts';
import * as engram from '../src/index.ts';
import { ArgumentError, type Module, type Tensor } from '../src/index.ts';
import { engine } from './support/engine.ts';
import { calls, difference, isNear, normal, type Shape, trained } from './support/onnx-models.ts';
import { runOnnx } from './support/onnx-runtime.ts';
import { refusal } from './support/refusal.ts';

const { Conv2d, Linear } = engram;

const networks: Record<string, () => [Module, Shape]> = {
  'a CIFAR ResNet, with its shortcuts without parameters': () => [
    engram.createResNet(engine, 'resnet8', { classes: 10, width: 4, inChannels: 1 }),
    [12, 12, 1],
  ],
  'torchvision’s stem and projections': () => [
    engram.createResNet(engine, 'resnet18', { classes: 5, width: 4, stem: 'imagenet' }),
    [33, 37, 3],
  ],
  bottlenecks: () => [engram.createResNet(engine, 'resnet50', { classes: 3, width: 8 }), [8, 8, 3]],
  'groups of ResNeXt': () => [engram.createResNet(engine, 'resnext50_32x4d', { classes: 3, width: 16 }), [8, 8, 3]],
  WideResNet: () => [new engram.WideResNet(engine, { depth: 10, widen: 1, classes: 4 }), [8, 8, 3]],
  MobileNetV2: () => [new engram.MobileNetV2(engine, { classes: 4, width: 0.25 }), [16, 16, 3]],
};

for (const [name, make] of Object.entries(networks)) {
  test(`ONNX Runtime gives the same logits: ${name}`, async () => {
    const [model, input] = make();
    assert.ok((await difference(trained(model), input)) < 1e-5);
    model.dispose();
  });
}

test('every elementwise operation that ONNX has, and every activation', async () => {
  const unary = [
    'neg',
    'abs',
    'sign',
    'exp',
    'expm1',
    'sqrt',
    'rsqrt',
    'square',
    'reciprocal',
    'sin',
    'cos',
    'tanh',
    'sigmoid',
    'relu',
    'silu',
    'softplus',
    'gelu',
    'erf',
    'floor',
    'ceil',
    'round',
    'log',
    'log1p',
  ] as const;
  const binary = ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum'] as const;
  const compared = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const;
  const activations = [
    engram.relu6,
    engram.selu,
    engram.hardSigmoid,
    engram.hardSwish,
    engram.mish,
    engram.logSigmoid,
    engram.geluTanh,
    (x: Tensor) => engram.leakyRelu(x, 0.2),
    (x: Tensor) => engram.elu(x, 1.5),
  ];
  const model = calls((x) => {
    const above = x.abs().add(0.1);
    const parts = [
      ...unary.map((name) => (['sqrt', 'rsqrt', 'reciprocal', 'log', 'log1p'].includes(name) ? above : x)[name]()),
      ...binary.map((name) => above[name](x.add(3))),
      ...binary.map((name) => above[name](0.7)),
      ...compared.flatMap((name) => [x[name](0.3).cast('f32'), x[name](above).cast('f32')]),
      engram.logicalAnd(x.greater(0), x.less(1)).cast('f32'),
      engram.logicalNot(x.greater(0)).cast('f32'),
      x.isFinite().cast('f32'),
      ...activations.map((activation) => activation(x.mul(3))),
    ];
    return engram.concat(parts, 1);
  });
  assert.ok((await difference(model, [9])) < 1e-5);
});

test('an embedding takes whole numbers', async () => {
  const model = new engram.Sequential(engine, new engram.Embedding(engine, 5, 3), new Linear(engine, 3, 2));
  const file = await exportOnnx(model, { input: [4], dtype: 'i32', names: { input: 'words', output: 'scores' } });
  const words = Int32Array.of(0, 4, 2, 1, 3, 3, 1, 0);
  const y = await model.forward(engine.tensor(words, [2, 4])).data();
  const { scores } = await runOnnx(file, { data: words, shape: [2, 4] });
  assert.equal(scores?.shape, [2, 4, 2]);
  isNear(scores, y);
});

test('numbers beside whole numbers are whole numbers', async () => {
  const model = calls((x) => {
    const all = engram.concat(
      [
        x.add(2),
        engram.where(x.greater(1), x, -1),
        engram.pad(
          x,
          [
            [0, 0],
            [1, 0],
          ],
          7,
        ),
      ],
      1,
    );
    const unlike = x.notEqual(3);
    return engram.concat([all.cast('f32').div(4), x.lessEqual(2).cast('f32'), unlike.equal(0).cast('f32')], 1);
  });
  const data = Int32Array.of(0, 4, 2, 1, 3, 3, 1, 0);
  const y = await model.forward(engine.tensor(data, [2, 4])).data();
  const { output } = await runOnnx(await exportOnnx(model, { input: [4], dtype: 'i32' }), { data, shape: [2, 4] });
  assert.equal(output?.shape, [2, 21]);
  isNear(output, y);
});

test('what was compared is compared again, and counted', async () => {
  const model = calls((x) => {
    const above = x.greater(0);
    const compared = [above.equal(2), above.notEqual(2), above.less(1), above.greaterEqual(x.less(1))];
    const counted = [
      above.sum(1, { keepDims: true }),
      above.add(3),
      above.max(1, { keepDims: true }),
      above.mul(x.less(1)),
    ];
    return engram.concat(
      [...compared, ...counted].map((part) => part.cast('f32')),
      1,
    );
  });
  assert.equal(await difference(model, [9]), 0);
});

test('conditions are what was compared, and numbers that are not 0', async () => {
  const model = calls((x) => {
    const above = x.greater(0);
    const mask = x.mul(3).relu().cast('u32');
    const chosen = [
      engram.where(mask, x, -1),
      engram.where(above.mul(x.less(1)), x, 0),
      engram.where(above, x.less(1), 3),
      engram.logicalAnd(x.relu(), x),
      engram.logicalOr(mask, x.less(-1)),
      engram.logicalXor(x.relu(), x.add(1).log()),
      engram.logicalNot(x.relu()),
      engram.logicalNot(above),
      engram.concat([above, mask.minimum(1)], 1),
      engram.concat([mask, above.mul(2), above], 1),
      engram.concat([above, x.less(1)], 1),
    ];
    return engram.concat(
      chosen.map((part) => part.cast('f32')),
      1,
    );
  });
  assert.ok((await difference(model, [9])) < 1e-6);
  // Of images in ONNX's order too.
  const convolved = calls(
    (x, [conv]) => {
      const y = conv!.forward(x);
      return engram.where(y.mul(3).relu().cast('u32'), y.mul(2), engram.logicalAnd(y.relu(), y.sub(1)).cast('f32'));
    },
    new Conv2d(engine, 2, 3, 3),
  );
  assert.ok((await difference(convolved, [5, 5, 2])) < 1e-5);
});

test('channels last, and what the file says of itself', async () => {
  const model = trained(new engram.Sequential(engine, new Conv2d(engine, 2, 3, 3), new engram.ReLU(engine)));
  const options = { layout: 'channels-last', name: 'edges', metadata: { classes: '["a"]' } } as const;
  const file = await exportOnnx(model, { input: [5, 5, 2], ...options });
  const text = new TextDecoder('latin1').decode(file);
  for (const part of ['engram', 'edges', 'classes', '["a"]', '0.weight', '0.bias'])
    assert.ok(text.includes(part), part);
  const data = normal(50);
  const y = await model.forward(engine.tensor(data, [1, 5, 5, 2])).data();
  const { output } = await runOnnx(file, { data, shape: [1, 5, 5, 2] });
  assert.equal(output?.shape, [1, 3, 3, 3]);
  isNear(output, y);
});

test('what ONNX cannot say is named, with its layer', async () => {
  const sorted = calls(
    (x, [inner]) => inner!.forward(x),
    calls((x) => engram.scatterAdd(x, engine.tensor(Int32Array.of(0)), x.slice([null, [0, 1]]), 1)),
  );
  const error = await refusal(exportOnnx(sorted, { input: [3] }));
  assert.ok(error instanceof ArgumentError);
  assert.match(error.message, /layer "parts\.0" calls scatterAdd, which has no counterpart in ONNX/);
});

test('what is computed past the graph, or follows from the size of the batch, is refused', async () => {
  const picks = calls((x) => x.mul(x.argmax(1).cast('f32').reshape([-1, 1])));
  assert.match((await refusal(exportOnnx(picks, { input: [3] }))).message, /depends on the batch/);
  const counts = calls((x) => x.div(x.shape[0]!));
  assert.match((await refusal(exportOnnx(counts, { input: [3] }))).message, /how many samples there are/);
  for (const whole of [(x: Tensor) => x.mean(), (x: Tensor) => x.sum(0), (x: Tensor) => x.transpose([1, 0])]) {
    assert.match((await refusal(exportOnnx(calls(whole), { input: [3] }))).message, /the batch as its first axis/);
  }
  const constant = calls(() => engine.ones([2]));
  assert.match((await refusal(exportOnnx(constant, { input: [3] }))).message, /does not follow from the input/);
});

test('weights may be called as inputs and outputs are', async () => {
  class Named extends engram.Module {
    readonly input = engine.tensor([1, 2, 3]);
    readonly output = engine.tensor([4, 5, 6]);
    forward(x: Tensor): Tensor {
      return x.mul(this.input).add(this.output);
    }
  }
  assert.ok((await difference(new Named(engine), [3])) < 1e-5);
  const error = await refusal(exportOnnx(new Named(engine), { input: [3], names: { input: 'output' } }));
  assert.match(error.message, /input and output are both called "output"/);
});

test('nothing is left on the device, and the model is as it was', async () => {
  const model = engram.createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1 });
  await engine.flush();
  const { liveBytes, liveBuffers } = engine.memory();
  await exportOnnx(model, { input: [8, 8, 1] });
  const after = engine.memory();
  assert.equal([after.liveBytes, after.liveBuffers], [liveBytes, liveBuffers]);
  assert.ok(model.training && model.layer1.training);
  model.dispose();
});

test.run();
