/** The arrays of a `.npz` file, which is a ZIP archive of `.npy` files, stored or deflated. */
import { type UnzipFileInfo, unzipSync } from 'fflate/browser';
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { crc32, zipChecksums } from './zip-checksums.ts';

/** 2 GiB: what engines hold in one array. */
const MOST_BYTES = 2 ** 31;
const ENDING = '.npy';

/**
 * The `.npy` bytes of some of its arrays, unpacked, by their names.
 * @param choose the names that are wanted, of those that there are.
 * @throws {DataError} for what is no whole archive or damaged, or unpacks to more than 2 GiB.
 */
export function unpackArrays(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  choose: (names: readonly string[]) => Iterable<string>,
): Map<string, Uint8Array<ArrayBuffer>> {
  try {
    const names: string[] = [];
    const expected = new Map<string, number | undefined>();
    const checksums = zipChecksums(bytes).values();
    const list = ({ name }: UnzipFileInfo): boolean => {
      expected.set(name, checksums.next().value);
      if (name.endsWith(ENDING)) names.push(name.slice(0, -ENDING.length));
      return false;
    };
    unzipSync(bytes, { filter: list });
    const wanted = new Set([...choose(names)].map((name) => `${name}${ENDING}`));
    const take = ({ name, originalSize }: UnzipFileInfo): boolean => {
      if (!wanted.has(name)) return false;
      if (originalSize <= MOST_BYTES) return true;
      throw new DataError({
        where: `${where}, ${clipped(name)}`,
        message: `this array unpacks to ${originalSize} bytes; at most ${MOST_BYTES} (2 GiB) can be held.`,
        fix: 'Use a part of the data, or smaller images.',
      });
    };
    const files = unzipSync(bytes, { filter: take }) as Record<string, Uint8Array<ArrayBuffer>>;
    for (const [name, file] of Object.entries(files)) {
      if (crc32(file) === expected.get(name)) continue;
      throw new DataError({
        where: `${where}, ${clipped(name)}`,
        message: 'this array is damaged: its checksum is not the one that the archive has for it.',
        fix: 'Fetch the file again.',
      });
    }
    return new Map(Object.entries(files).map(([name, file]) => [name.slice(0, -ENDING.length), file]));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError({
      where,
      message: `the ${bytes.length} bytes are no whole ZIP archive, as .npz files are: ${(cause as Error).message}.`,
      fix: 'Fetch the file again: it is cut off or damaged.',
      cause,
    });
  }
}
