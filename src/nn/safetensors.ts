/**
 * The safetensors format: eight bytes with the header's length, a JSON header, the tensors' bytes. It holds state dicts
 * and checkpoints, and PyTorch reads and writes it. Works on bytes alone, in Node and in the browser.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { ArgumentError, CheckpointError } from '../errors.ts';
import { fromFloatBits, fromHalfBits } from '../tensor/float-bits.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import { readHeader, type StoredTensor } from './safetensors-header.ts';

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;

/**
 * Dtypes that are read and written as they are. F16 and BF16 are read too, as F32.
 * @useDeclaredType
 */
export type SafetensorsDType = keyof typeof ARRAYS;
/**
 * Elements as a file holds them: bigints for I64.
 * @useDeclaredType
 */
export type SafetensorsData = InstanceType<(typeof ARRAYS)[SafetensorsDType]>;

/** One tensor of a file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDType;
  /** Row-major; `[]` for a scalar. */
  readonly shape: Shape;
  /** Row-major, in the dtype's own array. */
  readonly data: SafetensorsData;
}

/** What a file holds. */
export interface SafetensorsFile {
  /** By name, in the header's order. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The header's `__metadata__`; empty where it has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

const HALVES: Readonly<Record<'F16' | 'BF16', (bits: number) => number>> = {
  F16: fromHalfBits,
  BF16: (bits) => fromFloatBits(bits << 16),
};
const ALIGNMENT = 8;

/**
 * Reads a whole file. The data are copies, aligned for their dtype.
 * @param name of the file, for errors.
 * @throws {CheckpointError} when the file is cut off or damaged, its tensors overlap or leave bytes out, a name comes twice, or
 * a dtype is not one of those that are read.
 * @throws {ArgumentError} for anything but a Uint8Array.
 */
export function readSafetensors(bytes: Uint8Array, name = 'safetensors'): SafetensorsFile {
  if (!(bytes instanceof Uint8Array)) {
    throw new ArgumentError({
      where: name,
      message: 'the bytes of a safetensors file are not in a Uint8Array.',
      fix: 'Give new Uint8Array(buffer) for an ArrayBuffer, and in Node what readFile() gives.',
    });
  }
  const { tensors, metadata } = readHeader(bytes, (message, cause) => {
    throw new CheckpointError({ where: name, message, fix: 'Save or download the file again.', cause });
  });
  return { tensors: new Map(tensors.map((stored) => [stored.name, readTensor(bytes, stored)])), metadata };
}

function readTensor(bytes: Uint8Array, { dtype, shape, from, to }: StoredTensor): SafetensorsEntry {
  // Node's Buffer has a slice of its own that copies nothing.
  const { buffer } = Uint8Array.prototype.slice.call(bytes, from, to);
  if (dtype === 'F16' || dtype === 'BF16') {
    return { dtype: 'F32', shape, data: Float32Array.from(new Uint16Array(buffer), HALVES[dtype]) };
  }
  return { dtype, shape, data: new ARRAYS[dtype](buffer as ArrayBuffer) };
}

/**
 * The bytes of a file with these tensors, in this order. The header is padded so that every tensor of 4 or 8 byte
 * elements lies aligned when 8-byte ones come first; readers that copy do not care.
 * @throws {CheckpointError} when data do not fill their shape or are not of their dtype, or a name is reserved or comes twice.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, SafetensorsEntry]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  // A map, and then `fromEntries`: an object would take a tensor named `__proto__` for its prototype.
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set('__metadata__', metadata);
  const parts: { data: SafetensorsData; offset: number }[] = [];
  let offset = 0;
  for (const [key, { dtype, shape, data }] of tensors) {
    if (key === '__metadata__' || header.has(key)) {
      throw new CheckpointError({ where: key, message: 'this name is reserved or was given twice.' });
    }
    if (!(data instanceof ARRAYS[dtype]) || data.length !== sizeOf(shape)) {
      throw new CheckpointError({
        where: key,
        message: `${data.constructor.name} of ${data.length} elements does not hold ${dtype}${show(shape)}.`,
        fix: `Give a ${ARRAYS[dtype].name} of ${sizeOf(shape)} elements.`,
      });
    }
    header.set(key, { dtype, shape, data_offsets: [offset, offset + data.byteLength] });
    parts.push({ data, offset });
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + headerBytes + offset).fill(0x20, 8, 8 + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, 8);
  for (const { data, offset: at } of parts) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + headerBytes + at);
  }
  return bytes;
}

/** The entry's numbers as float32, whatever its dtype. */
export function asFloat32({ data }: SafetensorsEntry): Float32Array<ArrayBuffer> {
  if (data instanceof Float32Array) return data as Float32Array<ArrayBuffer>;
  return data instanceof BigInt64Array ? Float32Array.from(data, Number) : Float32Array.from(data);
}

/** The entry's numbers as int32, for labels and counters. */
export function asInt32({ data }: SafetensorsEntry): Int32Array<ArrayBuffer> {
  if (data instanceof Int32Array) return data as Int32Array<ArrayBuffer>;
  return data instanceof BigInt64Array ? Int32Array.from(data, Number) : Int32Array.from(data);
}
