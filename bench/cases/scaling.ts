/**
 * How a training step grows with its batch, the network's width and depth, and the size of the images, from ResNet-8 at
 * batch 32 on 32×32×3. The rate should hold: where it falls, the kernels do not fill the adapter.
 */
import type { ResNetName } from '../../src/nn/resnet.ts';
import type { WorkCase } from '../bench-case.ts';
import { captured, type StepOptions, trainingStep } from './train.ts';

function step(name: string, model: ResNetName, batch: number, options: StepOptions = {}): WorkCase {
  return { name, onlyNamed: true, prepare: (engine) => captured(trainingStep(engine, model, batch, options)) };
}

export const scalingCases: readonly WorkCase[] = [
  ...[8, 16, 32, 64, 128].map((batch) => step(`scaling/batch/${batch}`, 'resnet8', batch)),
  ...[8, 16, 32, 64].map((width) => step(`scaling/width/${width}`, 'resnet8', 32, { width })),
  ...[8, 14, 20, 32, 56].map((depth) => step(`scaling/depth/${depth}`, `resnet${depth}`, 32)),
  ...[16, 32, 64, 96].map((size) => step(`scaling/size/${size}`, 'resnet8', 32, { size })),
];
