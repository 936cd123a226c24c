/** TFRecord, the framing of event files: length, checksum of the length, data, checksum of the data; numbers little-endian. */
import { crcBy } from '../../data/crc.ts';

/** CRC-32C (Castagnoli; RFC 3720, B.4). */
export const crc32c = crcBy(0x82f63b78);

/** Turned and shifted, as checksums are that lie among the data they are of. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Bytes before the data, and behind it. */
const HEAD = 12;
const TAIL = 4;

/** One record. */
export function recordFrame(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD + data.length + TAIL);
  const view = new DataView(frame.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(frame.subarray(0, 8)), true);
  frame.set(data, HEAD);
  view.setUint32(HEAD + data.length, masked(data), true);
  return frame;
}

/** The data of a file's first record; `null` of what is no record. */
export function firstRecord(file: Uint8Array): Uint8Array | null {
  if (file.length < HEAD + TAIL) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (view.getUint32(8, true) !== masked(file.subarray(0, 8)) || HEAD + length + TAIL > file.length) return null;
  const data = file.subarray(HEAD, HEAD + length);
  return view.getUint32(HEAD + length, true) === masked(data) ? data : null;
}
