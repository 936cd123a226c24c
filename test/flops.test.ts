/** The arithmetic of networks against counts by hand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Conv2d, ConvTranspose2d, createResNet, flopsPerImage, Linear, MaxPool2d, Sequential } from '../src/index.ts';
import { engine } from './support/engine.ts';

test('a ResNet-8 of width 4 on 12×12 grey images, counted by hand', () => {
  const model = createResNet(engine, 'resnet8', { classes: 10, width: 4, inChannels: 1 });
  const multiplyAdds =
    12 * 12 * 9 * 1 * 4 + // stem
    2 * (12 * 12 * 9 * 4 * 4) + // first stage: 12×12
    6 * 6 * 9 * 4 * 8 + // second: to 6×6
    6 * 6 * 9 * 8 * 8 +
    3 * 3 * 9 * 8 * 16 + // third: to 3×3
    3 * 3 * 9 * 16 * 16 +
    16 * 10; // classifier
  assert.is(flopsPerImage(model, { height: 12, width: 12 }), 2 * multiplyAdds);
  model.dispose();
});

test('odd sides are halved upwards', () => {
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 2, inChannels: 3 });
  const multiplyAdds =
    7 * 5 * 9 * 3 * 2 + 2 * (7 * 5 * 9 * 2 * 2) + 4 * 3 * 9 * (2 * 4 + 4 * 4) + 2 * 2 * 9 * (4 * 8 + 8 * 8) + 8 * 3;
  assert.is(flopsPerImage(model, { height: 7, width: 5 }), 2 * multiplyAdds);
  model.dispose();
});

test('ResNet-18 on ImageNet: 1.81 GMAC, as torchvision says', () => {
  const model = createResNet(engine, 'resnet18', { classes: 1000, stem: 'imagenet' });
  const flops = flopsPerImage(model, { height: 224, width: 224 });
  assert.is((flops / 2e9).toFixed(2), '1.81');
  model.dispose();
});

test('layers of every kind are followed along a Sequential: windows, dilations, groups, and the way back up', () => {
  const model = new Sequential(
    engine,
    new Conv2d(engine, 4, 8, [3, 2], { stride: [2, 1], dilation: [1, 2], padding: [1, 0], groups: 2 }), // 9×10 to 5×8
    new MaxPool2d(engine, { kernel: [2, 3], stride: 2, padding: [0, 1] }), // to 2×4
    new Conv2d(engine, 8, 8, 3, { padding: 'same', groups: 8 }),
    new ConvTranspose2d(engine, 8, 6, 3, { stride: 2, outputPadding: [1, 0], groups: 2 }), // to 6×9
    new Conv2d(engine, 6, 1, 1),
    new Linear(engine, 54, 3),
  );
  const multiplyAdds = 5 * 8 * 6 * 2 * 8 + 2 * 4 * 9 * 8 + 2 * 4 * 9 * 3 * 8 + 6 * 9 * 6 + 54 * 3;
  assert.is(flopsPerImage(model, { height: 9, width: 10 }), 2 * multiplyAdds);
  assert.equal(
    new Sequential(engine, ...model.modules.slice(0, 5)).forward(engine.zeros([1, 9, 10, 4])).shape,
    [1, 6, 9, 1],
  );
  model.dispose();
});

test.run();
