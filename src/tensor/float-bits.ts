/** Numbers as the bits that float32 stores them in. */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** A float's bits. */
export function floatBits(x: number): number {
  scratch[0] = x;
  return scratchBits[0] as number;
}
