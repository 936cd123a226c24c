/** Telling whether bytes are those of before, without keeping them. */

/**
 * 64 bits of FNV-1a over 32-bit words, in two lanes, as hexadecimal digits. Against accidents, not against forgery.
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function fingerprint(parts: Iterable<Uint8Array>): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  const mix = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x85ebca6b);
    b ^= b >>> 13;
  };
  for (const part of parts) {
    mix(part.length);
    const whole = part.length - (part.length % 4);
    // A copy where the words are not aligned; Node's Buffer has a slice of its own that makes none.
    const aligned = part.byteOffset % 4 === 0 ? part : new Uint8Array(part);
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole / 4);
    // An iterator takes several times as long.
    for (let i = 0; i < words.length; i++) mix(words[i] as number);
    for (const byte of part.subarray(whole)) mix(byte);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

const encoder = new TextEncoder();
/** The bytes of a text, to be among the parts. */
export const textBytes = (text: string): Uint8Array => encoder.encode(text);
