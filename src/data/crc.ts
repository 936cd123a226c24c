/** Cyclic redundancy checks of 32 bits, which tell bytes that were damaged on the way. */

/**
 * A check by its polynomial.
 * @param polynomial with its bits reversed.
 * @returns the check of bytes, from 0 to 2³² − 1.
 */
export function crcBy(polynomial: number): (bytes: Uint8Array) => number {
  /** Of every byte. */
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    return crc;
  });
  return (bytes) => {
    let crc = ~0;
    // An iterator takes several times as long.
    for (let at = 0; at < bytes.length; at++) {
      crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
    }
    return ~crc >>> 0;
  };
}
