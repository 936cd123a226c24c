/** Flags that say which training step a command looks at. */
import { type Command, Option } from 'commander';
import { KNOWN_NETWORKS } from '../continual/networks.ts';
import type { FloatType } from '../tensor/dtype.ts';
import { wholeNumber } from './whole-number.ts';

export interface StepOptions {
  model: string;
  width?: number;
  batch: number;
  size: number;
  channels: number;
  classes: number;
  precision: FloatType;
}

export const addStepFlags = (command: Command): Command =>
  command
    .option('--model <name>', KNOWN_NETWORKS, 'resnet8')
    .option('--width <n>', "channels of the first stage; the network's own by default", wholeNumber)
    .option('--batch <n>', 'images a step', wholeNumber, 32)
    .option('--size <pixels>', 'height and width of the images', wholeNumber, 32)
    .option('--channels <n>', 'channels of the images', wholeNumber, 3)
    .option('--classes <n>', 'classes', wholeNumber, 10)
    .addOption(new Option('--precision <type>', 'how activations are stored').choices(['f32', 'f16']).default('f32'));
