/**
 * The safetensors format: eight bytes with the header's length, a JSON header, the tensors' bytes. It holds state dicts
 * and checkpoints, and PyTorch reads and writes it. Works on bytes alone, in Node and in the browser.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { CheckpointError } from '../gpu/errors.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;

/** Dtypes that are read and written as they are. F16 and BF16 are read too, as F32. */
export type SafetensorsDType = keyof typeof ARRAYS;
export type SafetensorsData = InstanceType<(typeof ARRAYS)[SafetensorsDType]>;

export interface SafetensorsEntry {
  readonly dtype: SafetensorsDType;
  /** Row-major; `[]` for a scalar. */
  readonly shape: Shape;
  readonly data: SafetensorsData;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const HALVES: Readonly<Record<string, (bits: number) => number>> = {
  F16: halfToFloat,
  BF16: (bits) => bitsToFloat(bits << 16),
};
/** The header's most bytes, as the format's own reader has it: a damaged length must not ask for all memory. */
const MOST_HEADER = 100_000_000;
const ALIGNMENT = 8;

/**
 * Reads a whole file. The data are copies, aligned for their dtype.
 * @param name of the file, for errors.
 * @throws CheckpointError when the file is cut off or damaged, or holds a dtype not read here.
 */
export function readSafetensors(bytes: Uint8Array, name = 'safetensors'): SafetensorsFile {
  const fail = (message: string, cause?: unknown): never => {
    throw new CheckpointError({ where: name, message, fix: 'Save or download the file again.', cause });
  };
  if (bytes.length < 8) fail(`a safetensors file has at least 8 bytes, this one ${bytes.length}: it is cut off.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > MOST_HEADER) fail(`this is no safetensors file: its header would have ${declared} bytes.`);
  const headerBytes = Number(declared);
  const start = 8 + headerBytes;
  if (start > bytes.length) {
    fail(`the header takes ${start} bytes, the file has ${bytes.length}: it is cut off or no safetensors file.`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    fail(`the header is not JSON (${(cause as Error).message}).`, cause);
  }
  if (!isRecord(header)) return fail('the header is not a JSON object.');
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    return fail('__metadata__ is not an object of strings.');
  }
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [key, entry] of Object.entries(entries)) {
    if (!isEntry(entry)) return fail(`the entry of "${key}" needs dtype, shape and data_offsets.`);
    const [from, to] = entry.data_offsets;
    if (start + to > bytes.length) {
      fail(`"${key}" ends at byte ${start + to}, the file has ${bytes.length}: it is cut off.`);
    }
    const half = HALVES[entry.dtype];
    if (!half && !isDType(entry.dtype)) {
      fail(`"${key}" has dtype ${entry.dtype}; ${Object.keys({ ...ARRAYS, ...HALVES }).join(', ')} are read.`);
    }
    const dtype: SafetensorsDType = isDType(entry.dtype) ? entry.dtype : 'F32';
    const width = half ? 2 : ARRAYS[dtype].BYTES_PER_ELEMENT;
    if (to - from !== sizeOf(entry.shape) * width) {
      fail(`"${key}" of shape ${show(entry.shape)} needs ${sizeOf(entry.shape) * width} bytes, has ${to - from}.`);
    }
    // Node's Buffer has a slice of its own that copies nothing.
    const slice = Uint8Array.prototype.slice.call(bytes, start + from, start + to).buffer as ArrayBuffer;
    const data = half ? Float32Array.from(new Uint16Array(slice), half) : new ARRAYS[dtype](slice);
    tensors.set(key, { dtype, shape: entry.shape, data });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

/**
 * The bytes of a file with these tensors, in this order. The header is padded so that every tensor of 4 or 8 byte
 * elements lies aligned when 8-byte ones come first; readers that copy do not care.
 * @throws CheckpointError when data do not fill their shape or are not of their dtype.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, SafetensorsEntry]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  const parts: { data: SafetensorsData; offset: number }[] = [];
  let offset = 0;
  for (const [key, { dtype, shape, data }] of tensors) {
    if (key === '__metadata__' || Object.hasOwn(header, key)) {
      throw new CheckpointError({ where: key, message: 'this name is reserved or was given twice.' });
    }
    if (!(data instanceof ARRAYS[dtype]) || data.length !== sizeOf(shape)) {
      throw new CheckpointError({
        where: key,
        message: `${data.constructor.name} of ${data.length} elements does not hold ${dtype}${show(shape)}.`,
        fix: `Give a ${ARRAYS[dtype].name} of ${sizeOf(shape)} elements.`,
      });
    }
    header[key] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push({ data, offset });
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDType(name: string): name is SafetensorsDType {
  return Object.hasOwn(ARRAYS, name);
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function isEntry(value: unknown): value is HeaderEntry {
  if (!isRecord(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isCount)) return false;
  if (!Array.isArray(offsets) || offsets.length !== 2) return false;
  const [from, to] = offsets as unknown[];
  return isCount(from) && isCount(to) && from <= to;
}

const word = new DataView(new ArrayBuffer(4));

function bitsToFloat(bits: number): number {
  word.setUint32(0, bits >>> 0);
  return word.getFloat32(0);
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}
