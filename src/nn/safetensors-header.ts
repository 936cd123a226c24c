/**
 * The header of a safetensors file: where each tensor's bytes lie. It is read by the format's own rules, which leave no
 * byte of the file unaccounted for, so that a file can hold nothing twice and nothing hidden.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { isCount, isListOf, isRecord } from '../gpu/json-shape.ts';
import { clipped } from '../gpu/printable.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import { ambiguity } from './json-keys.ts';

/** Bytes of one element. */
const WIDTHS = { F64: 8, F32: 4, I32: 4, U32: 4, I64: 8, U8: 1, F16: 2, BF16: 2 } as const;

/** Dtypes that are read. */
export type StoredDType = keyof typeof WIDTHS;

/** A tensor in a file: bytes `from` up to `to`, counted from the file's beginning. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  readonly from: number;
  readonly to: number;
}

export interface Header {
  /** In the header's order. */
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Bytes of a header at most, as in the format's own reader: a damaged length must not ask for all memory. */
const MOST_BYTES = 100_000_000;
/** The header, a tensor's entry, its shape: nothing lies deeper. */
const LEVELS = 3;

/** @param fail Throws, with what is wrong. */
export function readHeader(bytes: Uint8Array, fail: (message: string, cause?: unknown) => never): Header {
  if (bytes.length < 8) fail(`a safetensors file has at least 8 bytes, this one ${bytes.length}: it is cut off.`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (declared > MOST_BYTES) fail(`this is not a safetensors file: its header would have ${declared} bytes.`);
  const start = 8 + Number(declared);
  if (start > bytes.length) {
    fail(`the header takes ${start} bytes, the file has ${bytes.length}: it is cut off or not a safetensors file.`);
  }
  const { __metadata__: metadata = {}, ...entries } = parse(bytes.subarray(8, start), fail);
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    return fail('__metadata__ is not an object of strings.');
  }
  const tensors = Object.entries(entries).map(([name, entry]): StoredTensor => {
    const quoted = `"${clipped(name)}"`;
    if (!isEntry(entry)) return fail(`the entry of ${quoted} needs dtype, shape and data_offsets.`);
    const { dtype, shape } = entry;
    if (!isRead(dtype)) {
      return fail(`${quoted} has dtype ${clipped(dtype)}; ${Object.keys(WIDTHS).join(', ')} are read.`);
    }
    const [from, to] = entry.data_offsets;
    if (start + to > bytes.length) {
      fail(`${quoted} ends at byte ${start + to}, the file has ${bytes.length}: it is cut off.`);
    }
    const needed = shape.includes(0) ? 0 : sizeOf(shape) * WIDTHS[dtype];
    if (to - from !== needed) {
      fail(`${quoted} of shape ${clipped(show(shape))} needs ${needed} bytes, has ${to - from}.`);
    }
    return { name, dtype, shape, from: start + from, to: start + to };
  });
  checkCovered(tensors, start, bytes.length, fail);
  return { tensors, metadata: metadata as Record<string, string> };
}

function parse(bytes: Uint8Array, fail: (message: string, cause?: unknown) => never): Record<string, unknown> {
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text[0] !== '{') fail('the header is not a JSON object.');
    const wrong = ambiguity(text, LEVELS);
    if (wrong) fail(`the header cannot be trusted: ${wrong}.`);
    header = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    fail(`the header is not JSON (${clipped(cause.message)}).`, cause);
  }
  return isRecord(header) ? header : fail('the header is not a JSON object.');
}

/** Tensors lie one after the other: no two share a byte, and every byte belongs to one. */
function checkCovered(
  tensors: readonly StoredTensor[],
  start: number,
  end: number,
  fail: (message: string) => never,
): void {
  const sorted = [...tensors].sort((a, b) => a.from - b.from || a.to - b.to);
  let covered = start;
  let before = 'the header';
  for (const { name, from, to } of sorted) {
    const quoted = `"${clipped(name)}"`;
    if (from < covered) fail(`${quoted} and ${before} overlap: bytes ${from} to ${covered} would be read twice.`);
    if (from > covered) fail(`bytes ${covered} to ${from}, before ${quoted}, belong to no tensor.`);
    covered = to;
    before = quoted;
  }
  if (covered < end) fail(`the last ${end - covered} bytes belong to no tensor: the file goes on too long.`);
}

const isRead = (dtype: string): dtype is StoredDType => Object.hasOwn(WIDTHS, dtype);

function isEntry(value: unknown): value is HeaderEntry {
  if (!isRecord(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isListOf(isCount, shape)) return false;
  if (!Array.isArray(offsets) || offsets.length !== 2) return false;
  const [from, to] = offsets as unknown[];
  return isCount(from) && isCount(to) && from <= to;
}
