/**
 * The IDX format of MNIST (Y. LeCun): two zero bytes, a type byte, the number of dimensions, each dimension as a
 * big-endian 32-bit number, then the values in row-major order. Only unsigned bytes (type 8) are read here. Plain or gzip.
 */
import { DataError } from '../gpu/errors.ts';

export interface IdxArray {
  /** For images [count, height, width] or [count, height, width, channels]; for labels [count]. */
  shape: number[];
  values: Uint8Array<ArrayBuffer>;
}

const UNSIGNED_BYTE = 0x08;
const MENDED = 'Fetch the file again: it is damaged, or not what its name says.';

/** Unpacks gzip, recognised by its first bytes; other bytes come back as they are. Throws DataError if damaged. */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (cause) {
    throw new DataError({
      where,
      message: `the gzip stream of ${bytes.length} bytes cannot be unpacked: it is cut off or damaged.`,
      fix: 'Fetch the file again.',
      cause,
    });
  }
}

/**
 * Reads IDX bytes, gzipped or not. `where` names the file in errors.
 * Throws DataError for another magic number, another element type or number of dimensions, and for a length that does
 * not fit the dimensions.
 */
export async function readIdx(
  packed: Uint8Array<ArrayBuffer>,
  where: string,
  kind: 'images' | 'labels',
): Promise<IdxArray> {
  const bytes = await gunzip(packed, where);
  const wrong = (message: string) => new DataError({ where, message, fix: MENDED });
  const rank = bytes[3] ?? 0;
  const right = bytes[0] === 0 && bytes[1] === 0 && bytes[2] === UNSIGNED_BYTE;
  if (!right || (kind === 'labels' ? rank !== 1 : rank !== 3 && rank !== 4)) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const wanted = kind === 'labels' ? '00 00 08 01 (bytes, one dimension)' : '00 00 08 03 (bytes, three dimensions)';
    throw wrong(`an IDX file of ${kind} starts with ${wanted}, this one with ${found || 'nothing: it is empty'}.`);
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw wrong(`the header takes ${header} bytes, the file has ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, length) => product * length, 1);
  if (bytes.length - header !== size) {
    const ends = bytes.length - header < size ? 'is cut off' : 'goes on too long';
    throw wrong(
      `the header promises ${shape.join('×')} = ${size} bytes of ${kind}, ${bytes.length - header} follow: the file ${ends}.`,
    );
  }
  return { shape, values: bytes.subarray(header) };
}
