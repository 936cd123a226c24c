/**
 * The IDX format of MNIST (Y. LeCun): two zero bytes, a type byte, the number of dimensions, each dimension as a
 * big-endian 32-bit number, then the values in row-major order. Only unsigned bytes (type 8) are read here. Plain or gzip.
 */
import { DataError } from '../errors.ts';
import { ByteStream, isGzip, LARGEST_GZIP_RATIO } from './byte-stream.ts';

export interface IdxArray {
  /** For images [count, height, width] or [count, height, width, channels]; for labels [count]. */
  shape: number[];
  values: Uint8Array<ArrayBuffer>;
}

const UNSIGNED_BYTE = 0x08;
/** 2 GiB: what Node reads as one file, and engines hold in one array. */
const MOST_BYTES = 2 ** 31;

/**
 * Reads IDX bytes, gzipped or not. `where` names the file in errors. No more is unpacked than the header promises.
 * @throws {DataError} for another magic number, another element type or number of dimensions, for a length that does not fit the
 * dimensions, and for more than 2 GiB.
 */
export async function readIdx(
  packed: Uint8Array<ArrayBuffer>,
  where: string,
  kind: 'images' | 'labels',
): Promise<IdxArray> {
  const stream = new ByteStream(packed, where);
  try {
    return await readFrom(stream, packed, where, kind);
  } finally {
    await stream.close();
  }
}

async function readFrom(
  stream: ByteStream,
  packed: Uint8Array<ArrayBuffer>,
  where: string,
  kind: 'images' | 'labels',
): Promise<IdxArray> {
  const wrong = (message: string, fix = 'Fetch the file again: it is damaged, or not what its name says.') =>
    new DataError({ where, message, fix });
  const magic = await stream.take(4);
  const rank = magic[3] ?? 0;
  const right = magic[0] === 0 && magic[1] === 0 && magic[2] === UNSIGNED_BYTE;
  if (!right || (kind === 'labels' ? rank !== 1 : rank !== 3 && rank !== 4)) {
    const found = [...magic].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const wanted = kind === 'labels' ? '00 00 08 01 (bytes, one dimension)' : '00 00 08 03 (bytes, three dimensions)';
    throw wrong(`an IDX file of ${kind} starts with ${wanted}, this one with ${found || 'nothing: it is empty'}.`);
  }
  const sizes = await stream.take(4 * rank);
  if (sizes.length < 4 * rank) throw wrong(`the header takes ${4 + 4 * rank} bytes, the file has ${4 + sizes.length}.`);
  const view = new DataView(sizes.buffer);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 * axis));
  const size = shape.reduce((product, length) => product * length, 1);
  const product = rank > 1 ? `${shape.join('×')} = ` : '';
  const promise = `the header promises ${product}${size} bytes of ${kind}`;
  if (size > MOST_BYTES) {
    throw wrong(`${promise}; at most ${MOST_BYTES} (2 GiB) can be held.`, 'Use a part of the data, or smaller images.');
  }
  const most = isGzip(packed) ? LARGEST_GZIP_RATIO * packed.length : packed.length - 4 - 4 * rank;
  const follow = isGzip(packed) ? `${packed.length} bytes of gzip follow` : `${most} follow`;
  if (size > most) throw wrong(`${promise}, ${follow}: the file is cut off.`);
  const values = await stream.take(size);
  if (values.length < size) throw wrong(`${promise}, ${values.length} follow: the file is cut off.`);
  if ((await stream.take(1)).length > 0) throw wrong(`${promise}, more follow: the file goes on too long.`);
  return { shape, values };
}
