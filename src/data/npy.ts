/**
 * NumPy's format of one array, `.npy` (numpy.lib.format, versions 1.0 to 3.0): the magic `\x93NUMPY`, a version, the header's length,
 * a header that is a Python dictionary of element type, order and shape, then the values. Only whole numbers are read here.
 */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

export interface NpyArray<Values> {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Values;
}

const MAGIC = [0x93, ...new TextEncoder().encode('NUMPY')];
const DESCR = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z?])(\d*)'/;
const ORDER = /'fortran_order'\s*:\s*(True|False)/;
const SHAPE = /'shape'\s*:\s*\(([\d,\s]*)\)/;

/** How a whole number of so many bytes is read. */
const INTEGERS: Readonly<Record<string, (view: DataView, at: number, isLittle: boolean) => number>> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, isLittle) => view.getUint16(at, isLittle),
  i2: (view, at, isLittle) => view.getInt16(at, isLittle),
  u4: (view, at, isLittle) => view.getUint32(at, isLittle),
  i4: (view, at, isLittle) => view.getInt32(at, isLittle),
  u8: (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)),
  i8: (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)),
};

interface Header {
  readonly type: string;
  readonly isLittle: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly end: number;
}

/** @throws {DataError} for what is no header, or says nothing that is known. */
function readHeader(bytes: Uint8Array, where: string): Header {
  const wrong = (message: string) =>
    new DataError({ where, message, fix: 'Write the array again, with numpy.savez or numpy.savez_compressed.' });
  if (!MAGIC.every((byte, at) => bytes[at] === byte))
    throw wrong('this is no array of NumPy: it does not begin as one.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version = 0, lengthBytes] = [bytes[6], bytes[6] === 1 ? 2 : 4];
  if (version < 1 || version > 3) throw wrong(`version ${version} of NumPy's format is not known; 1 to 3 are.`);
  const start = 8 + lengthBytes;
  if (bytes.length < start)
    throw wrong(`the array ends after ${bytes.length} bytes, within its header: it is cut off.`);
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < end)
    throw wrong(`the header takes ${end} bytes, ${bytes.length} are there: the array is cut off.`);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, end));
  const [descr, order, shape] = [DESCR.exec(text), ORDER.exec(text), SHAPE.exec(text)];
  if (!descr || !order || !shape) {
    throw wrong(`the header ${clipped(text.trim())} names no simple type, order and shape.`);
  }
  return {
    type: `${descr[2]}${descr[3] || '1'}`.replace('?', 'b'),
    isLittle: descr[1] !== '>',
    isFortran: order[1] === 'True',
    shape: (shape[1]?.match(/\d+/g) ?? []).map(Number),
    end,
  };
}

/**
 * An array of bytes, u1; the same memory.
 * @throws {DataError} for another type, for columns first (Fortran's order), and when there are not as many values as the shape says.
 */
export function npyBytes(bytes: Uint8Array<ArrayBuffer>, where: string): NpyArray<Uint8Array<ArrayBuffer>> {
  const header = readHeader(bytes, where);
  if (header.type !== 'u1') {
    throw new DataError({
      where,
      message: `the values are of NumPy's type ${header.type}; pixels are u1, bytes from 0 to 255.`,
      fix: 'Scale them to that, and save them as `array.astype(numpy.uint8)`.',
    });
  }
  checkValues(header, bytes, where);
  return { shape: header.shape, values: bytes.subarray(header.end) };
}

/**
 * An array of whole numbers of any size.
 * @throws {DataError} as {@link npyBytes} does.
 */
export function npyNumbers(bytes: Uint8Array<ArrayBuffer>, where: string): NpyArray<readonly number[]> {
  const header = readHeader(bytes, where);
  const { type, isLittle, shape, end } = header;
  const read = Object.hasOwn(INTEGERS, type) ? INTEGERS[type] : undefined;
  if (!read) {
    throw new DataError({
      where,
      message: `the values are of NumPy's type ${type}; whole numbers were expected.`,
      fix: 'Save class numbers as integers.',
    });
  }
  const { size, width } = checkValues(header, bytes, where);
  const view = new DataView(bytes.buffer, bytes.byteOffset + end, size * width);
  return { shape, values: Array.from({ length: size }, (_, at) => read(view, at * width, isLittle)) };
}

/** @throws {DataError} for columns first, and unless what follows the header is what it promises. */
function checkValues(
  { type, isFortran, shape, end }: Header,
  bytes: Uint8Array,
  where: string,
): { readonly size: number; readonly width: number } {
  if (isFortran && shape.filter((length) => length > 1).length > 1) {
    throw new DataError({
      where,
      message: `the array [${shape.join(', ')}] lies columns first, in Fortran's order.`,
      fix: 'Save it as `numpy.ascontiguousarray(array)`.',
    });
  }
  const size = shape.reduce((product, length) => product * length, 1);
  const width = Number(type.slice(1));
  if (bytes.length - end !== size * width) {
    throw new DataError({
      where,
      message: `the header promises an array [${shape.join(', ')}] of ${size * width} bytes, ${bytes.length - end} follow.`,
      fix: 'Fetch the file again: it is cut off or damaged.',
    });
  }
  return { size, width };
}
