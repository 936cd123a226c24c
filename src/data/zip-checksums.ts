/** The checksums of a ZIP archive (PKWARE's APPNOTE, 4.3 and 4.4.7), which the library that unpacks it does not compare. */
import { crcBy } from './crc.ts';

/** Of an archive's end, of that of one in the larger format of 64 bits, and of what tells where that lies. */
const [END, END64, LOCATOR64] = [0x06054b50, 0x06064b50, 0x07064b50];
const END_BYTES = 22;

/** CRC-32 (ISO 3309), as ZIP has it. */
export const crc32 = crcBy(0xedb88320);

/**
 * CRC-32 of every file, in the order of the archive's list.
 * @throws {RangeError} for what is no archive.
 */
export function zipChecksums(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  // A comment may follow.
  while (view.getUint32(end, true) !== END) end--;
  let [count, at] = [view.getUint16(end + 8, true), view.getUint32(end + 16, true)];
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const end64 = view.getUint32(end - 12, true);
    if (view.getUint32(end64, true) === END64)
      [count, at] = [view.getUint32(end64 + 32, true), view.getUint32(end64 + 48, true)];
  }
  return Array.from({ length: count }, () => {
    const crc = view.getUint32(at + 16, true);
    // Behind the fixed part of an entry lie its name, extra fields and a comment.
    at += 46 + [28, 30, 32].reduce((sum, length) => sum + view.getUint16(at + length, true), 0);
    return crc;
  });
}
