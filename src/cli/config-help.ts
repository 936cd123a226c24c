/** What the settings mean, for people: the heading they stand under, what their value is called, one line. */
import type { Config } from '../continual/config.ts';

export interface SettingHelp {
  group: string;
  /** What a value is called. Not for switches, which have none. */
  value: string;
  text: string;
}

const under =
  (group: string) =>
  (value: string, text: string): SettingHelp => ({ group, value, text });
const data = under('Data and tasks:');
const memory = under('Exemplar memory:');
const network = under('Network:');
const training = under('Training:');
const images = under('Images:');
const keeping = under('Distillation and alignment:');

export const configHelp: Readonly<Record<keyof Config, SettingHelp>> = {
  method: data('name', 'how old tasks are kept; see below'),
  data: data('name', 'fashion-mini or glyphs (bundled), or a folder with IDX (MNIST) or CIFAR binary files'),
  tasks: data('n', 'tasks the classes are dealt out to'),
  baseClasses: data('n', 'classes of the first task; 0 deals all tasks alike'),
  classOrder: data('list', 'order in which classes arrive, such as 3,0,2,1; drawn from the seed by default'),
  classSeed: data('seed', "seed of the class order; -1 keeps the data's own"),
  trainPerClass: data('n', 'use only the first training images of each class; 0 for all'),
  testPerClass: data('n', 'use only the first test images of each class; 0 for all'),
  memory: memory('n', 'exemplars kept in all'),
  memoryPerClass: memory('n', 'exemplars kept for each class; 0 shares out --memory instead'),
  selection: memory('name', 'how exemplars are chosen'),
  model: network('name', 'resnet8, resnet20, resnet32, … (depth 6n + 2), resnet18 or resnet34'),
  width: network('n', "channels of the first stage; 0 for the network's own"),
  stem: network('name', 'first layers of resnet18 and resnet34'),
  init: network('name', 'how the convolutions start'),
  epochs: training('n', 'epochs for every task'),
  baseEpochs: training('n', 'epochs for the first task; 0 for as many as the others'),
  batch: training('n', 'images a step'),
  lr: training('rate', 'learning rate at the start of a task'),
  optimizer: training('name', 'how the weights are updated'),
  momentum: training('x', 'momentum of sgd'),
  nesterov: training('', 'Nesterov momentum for sgd'),
  weightDecay: training('x', 'weight decay'),
  schedule: training('name', "the learning rate over a task's epochs"),
  milestones: training('list', 'epochs after which --schedule step divides the rate by 10, such as 10,20'),
  warmup: training('n', 'epochs over which the rate rises'),
  labelSmoothing: training('x', 'label smoothing, 0 up to 1'),
  clip: training('norm', 'largest norm of the gradients; 0 does not clip'),
  capture: training('', 'replaying of recorded training steps; the results are the same'),
  tune: training('', 'measuring of kernels before they are used (default: on GPUs, off on software adapters)'),
  lossEvery: training('n', 'steps whose losses are read together; the results are the same'),
  gradientCheckpointing: training('', "make blocks' activations again in the backward pass: less memory, more time"),
  precision: training('type', 'how activations are stored; f16 takes half the memory, where the device has it'),
  seed: training('seed', 'seed of everything random but the class order'),
  crop: images('pixels', 'padding of the random crop'),
  flip: images('chance', 'chance of a mirrored image'),
  rotate: images('degrees', 'largest random rotation'),
  scale: images('range', 'random magnification, such as 0.9,1.1'),
  mean: images('list', 'subtracted from pixels 0 … 1, one a channel; measured by default'),
  std: images('list', 'divides pixels, one a channel; measured by default'),
  temperature: keeping('T', 'temperature of the distillation'),
  kdWeight: keeping('λ', 'weight of the distillation beside the cross entropy'),
  weighting: keeping('name', 'how the weight changes from task to task'),
  pool: keeping('name', 'groups that fdkd distils and rdkd draws from; dense by default, runs beyond 21 tasks of fdkd'),
  groups: keeping('n', 'groups that rdkd draws in each step'),
  align: keeping('', 'weight alignment after each task (default: off for finetune and joint, on for the others)'),
};
