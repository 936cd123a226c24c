/**
 * An ONNX model as the bytes of its file: the messages of onnx.proto3 that a network needs, by their field numbers.
 * Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import { PbfWriter } from 'pbf';

/** Version of the format, and of its operators: the first with LayerNormalization. */
const IR_VERSION = 8;
const OPSET = 17;

/** Element types by their numbers in the format. */
export const ELEMENTS = { f32: 1, u8: 2, i32: 6, i64: 7, string: 8, bool: 9 } as const;
export type OnnxElement = keyof typeof ELEMENTS;

/** Numbers that do not change, or words. */
export interface OnnxConstant {
  readonly name: string;
  readonly element: OnnxElement;
  readonly shape: readonly number[];
  /** Row-major: little-endian bytes, or words. */
  readonly data: Uint8Array | readonly string[];
}

/** A whole number, numbers with a point, a word, or whole numbers. */
export type OnnxAttribute = number | { readonly float: number } | string | readonly number[];

/** A call of an operator. */
export interface OnnxNode {
  readonly operator: string;
  readonly name: string;
  /** `''` for one that is left out. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What goes in or comes out; a dimension with a name may be of any size. */
export interface OnnxPort {
  readonly name: string;
  readonly element: OnnxElement;
  readonly shape: readonly (number | string)[];
}

/** A network with what people and programs should know of it. */
export interface OnnxModel {
  readonly name: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Each after those whose outputs it takes. */
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}

const utf8 = new TextEncoder();

/** Writes each as a message of its own. */
function all<T>(to: PbfWriter, tag: number, values: readonly T[], write: (value: T, to: PbfWriter) => void): void {
  for (const value of values) to.writeMessage(tag, write, value);
}

function writeAttribute([name, value]: readonly [string, OnnxAttribute], to: PbfWriter): void {
  to.writeStringField(1, name);
  if (typeof value === 'number') {
    to.writeVarintField(3, value);
    to.writeVarintField(20, 2);
  } else if (typeof value === 'string') {
    to.writeBytesField(4, utf8.encode(value));
    to.writeVarintField(20, 3);
  } else if ('float' in value) {
    to.writeFloatField(2, value.float);
    to.writeVarintField(20, 1);
  } else {
    for (const number of value) to.writeVarintField(8, number);
    to.writeVarintField(20, 7);
  }
}

function writeNode({ operator, name, inputs, output, attributes }: OnnxNode, to: PbfWriter): void {
  for (const input of inputs) to.writeStringField(1, input);
  to.writeStringField(2, output);
  to.writeStringField(3, name);
  to.writeStringField(4, operator);
  all(to, 5, Object.entries(attributes), writeAttribute);
}

function writeConstant({ name, element, shape, data }: OnnxConstant, to: PbfWriter): void {
  for (const size of shape) to.writeVarintField(1, size);
  to.writeVarintField(2, ELEMENTS[element]);
  if (!(data instanceof Uint8Array)) for (const word of data) to.writeBytesField(6, utf8.encode(word));
  to.writeStringField(8, name);
  if (data instanceof Uint8Array) to.writeBytesField(9, data);
}

function writePort({ name, element, shape }: OnnxPort, to: PbfWriter): void {
  to.writeStringField(1, name);
  const writeSize = (size: number | string, dimension: PbfWriter) => {
    if (typeof size === 'number') dimension.writeVarintField(1, size);
    else dimension.writeStringField(2, size);
  };
  const writeTensor = (_: null, tensor: PbfWriter) => {
    tensor.writeVarintField(1, ELEMENTS[element]);
    tensor.writeMessage(2, (_, sizes) => all(sizes, 1, shape, writeSize), null);
  };
  to.writeMessage(2, (_, type) => type.writeMessage(1, writeTensor, null), null);
}

function writeGraph({ name, nodes, constants, inputs, outputs }: OnnxModel, to: PbfWriter): void {
  all(to, 1, nodes, writeNode);
  to.writeStringField(2, name);
  all(to, 5, constants, writeConstant);
  all(to, 11, inputs, writePort);
  all(to, 12, outputs, writePort);
}

/** The file. */
export function onnxBytes(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const { producer, description, metadata } = model;
  const file = new PbfWriter();
  file.writeVarintField(1, IR_VERSION);
  file.writeStringField(2, producer.name);
  file.writeStringField(3, producer.version);
  if (description !== '') file.writeStringField(6, description);
  file.writeMessage(7, writeGraph, model);
  file.writeMessage(8, (_, set) => set.writeVarintField(2, OPSET), null);
  all(file, 14, Object.entries(metadata), ([key, value], entry) => {
    entry.writeStringField(1, key);
    entry.writeStringField(2, value);
  });
  return new Uint8Array(file.finish());
}
