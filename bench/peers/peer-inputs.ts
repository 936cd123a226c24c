/** The inputs that all engines are given, as one safetensors file: the same weights and images, the same operands. */

import { readFile, writeFile } from 'node:fs/promises';
import { environmentOptions } from '../../src/cli/environment.ts';
import { createResNet, Engine, readSafetensors, stateDict, type Tensor, writeSafetensors } from '../../src/index.ts';
import { asFloat32 } from '../../src/nn/safetensors.ts';
import type { StateEntry } from '../../src/nn/state-dict.ts';
import { permute } from '../../src/nn/torch-layout.ts';
import { type Shape, sizeOf } from '../../src/tensor/shape.ts';
import { type Cost, labels, noise } from '../bench-case.ts';
import { stepFlops } from '../cases/train.ts';
import {
  BATCH,
  CLASSES,
  conv2dShapes,
  groupsOf,
  IMAGE,
  isLayer,
  LAYER_INPUTS,
  type LayerWork,
  type PeerWork,
} from './peer-work.ts';

export type Input = StateEntry<Float32Array<ArrayBuffer>>;

/** Weights by PyTorch's names and in its layouts; images and other operands as Engram has them. */
export type Inputs = ReadonlyMap<string, Input>;

async function entry(tensor: Tensor): Promise<Input> {
  return { shape: tensor.shape, data: Float32Array.from(await tensor.data()) };
}

/** Of each input of a layer, as Engram has it. */
function layerShapes({ kind, shape }: LayerWork): Shape[] {
  const features = shape.at(-1) as number;
  return kind === 'layer-norm'
    ? [shape, [features], [features]]
    : [shape, [features, 3 * features], [3 * features], [features, features], [features]];
}

/** A layer norm is bound by memory: x and its result once, or x, its gradient and that of the result. */
function layerCost({ kind, part, shape }: LayerWork): Cost {
  if (kind === 'layer-norm') return { bytes: (part === 'forward' ? 2 : 5) * 4 * sizeOf(shape) };
  const [batch, length, features] = shape as readonly [number, number, number];
  const forward = 2 * batch * length * (4 * features ** 2 + 2 * length * features);
  return { flops: part === 'forward' ? forward : 3 * forward };
}

/** Inputs of a work, and what it costs. */
async function makeInputs(engine: Engine, work: PeerWork): Promise<{ inputs: Map<string, Input>; cost: Cost }> {
  if (work.kind === 'training') {
    const model = createResNet(engine, work.name, { classes: CLASSES, seed: 1 });
    const state = await stateDict(model);
    const inputs = new Map(
      [...state].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
    );
    inputs.set('images', await entry(noise(engine, [BATCH, IMAGE, IMAGE, 3])));
    inputs.set('labels', await entry(labels(engine, BATCH, CLASSES)));
    return { inputs, cost: { flops: stepFlops(model, BATCH) } };
  }
  const inputs = new Map<string, Input>();
  if (isLayer(work)) {
    for (const [i, shape] of layerShapes(work).entries()) {
      // Weights of the size that layers begin with, so that softmaxes are not of one key alone.
      const scale = i > 0 && shape.length > 1 ? 1 / Math.sqrt(shape[0] as number) : 1;
      inputs.set(LAYER_INPUTS[work.kind][i] as string, await entry(noise(engine, shape, i).mul(scale)));
    }
    inputs.set('dy', await entry(noise(engine, work.shape, 9)));
    return { inputs, cost: layerCost(work) };
  }
  if (work.kind === 'matmul') {
    const shape = [work.size, work.size];
    for (const [i, name] of ['a', 'b'].entries()) inputs.set(name, await entry(noise(engine, shape, i)));
    return { inputs, cost: { flops: 2 * work.size ** 3 } };
  }
  const { images, kernel } = conv2dShapes(work);
  inputs.set('x', await entry(noise(engine, images)));
  inputs.set('weight', await entry(noise(engine, kernel, 1)));
  inputs.set('dy', await entry(noise(engine, images, 9)));
  return { inputs, cost: { flops: (2 * BATCH * work.size ** 2 * 9 * work.channels ** 2) / groupsOf(work) } };
}

/** Writes the inputs of a work to a file. @returns what the work costs. */
export async function writeInputs(path: string, work: PeerWork): Promise<Cost> {
  const engine = await Engine.create(environmentOptions());
  const { inputs, cost } = await makeInputs(engine, work);
  await engine.destroy();
  const tensors = [...inputs].map(([name, made]) => [name, { dtype: 'F32', ...made }] as const);
  await writeFile(path, writeSafetensors(tensors));
  return cost;
}

export async function readInputs(path: string): Promise<Inputs> {
  const { tensors } = readSafetensors(await readFile(path), path);
  return new Map([...tensors].map(([name, read]) => [name, { shape: read.shape, data: asFloat32(read) }]));
}

/**
 * One of the inputs, with its axes in another order if one is given.
 * @throws {Error} when it is not there.
 */
export function input(inputs: Inputs, name: string, order?: readonly number[]): Input {
  const found = inputs.get(name);
  if (!found) throw new Error(`the inputs have no "${name}"`);
  return order ? permute(found.data, found.shape, order) : found;
}

/** Names of what is trained: neither running statistics nor images and labels. */
export const parameterNames = (inputs: Inputs): string[] =>
  [...inputs.keys()].filter((name) => /\.(weight|bias)$/.test(name));

/** The labels as rows of zeros with a one. */
export function oneHotLabels(inputs: Inputs): Input {
  const data = new Float32Array(BATCH * CLASSES);
  for (const [i, label] of input(inputs, 'labels').data.entries()) data[i * CLASSES + label] = 1;
  return { shape: [BATCH, CLASSES], data };
}

/** A residual block: what its weights' names begin with, and its stride. */
export interface Block {
  readonly prefix: string;
  readonly stride: number;
}

export function blocksOf(inputs: Inputs): Block[] {
  return [...inputs.keys()].flatMap((name) => {
    const [, prefix, stage, index] = /^(layer(\d)\.(\d+))\.conv1\.weight$/.exec(name) ?? [];
    return prefix ? [{ prefix, stride: stage !== '1' && index === '0' ? 2 : 1 }] : [];
  });
}
