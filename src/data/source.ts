/** Where a data set's files lie: a folder, a list of addresses, or the bundled data. */
import { files, readBundled } from '#files';
import { isUrl } from './fetch-bytes.ts';
import { type FileSlices, type FileTree, joinPath } from './files.ts';

/** Names of classes, of sets whose labels are numbers. */
export const CLASS_NAMES = 'classes.json';

/** Named files. */
export interface DataSource {
  /** For people, and the beginning of the files' names in errors. */
  readonly where: string;
  /** The first of these names that is there. */
  find(names: readonly string[]): Promise<string | undefined>;
  /** @throws {DataError} when the file is missing or cannot be read. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The file for reading parts of it; where that can be.
   * @throws {DataError} when it is missing or cannot be read.
   */
  slices?(name: string): Promise<FileSlices>;
  /**
   * Names in a folder within it, sorted; where it has folders at all.
   * @throws {DataError} when the folder is missing.
   */
  list?(folder: string): Promise<string[]>;
  /**
   * All that lies in it; where it can tell.
   * @throws {DataError} when a folder cannot be listed.
   */
  tree?(): Promise<FileTree>;
}

/** A data set by the addresses of its files, as `engram-data` exports its own. */
export interface DatasetFiles {
  /** What the set is called, in errors and records. */
  readonly name: string;
  /** Addresses (in Node also `file:`) by file names, such as those of MNIST and `classes.json`. */
  readonly files: Readonly<Record<string, string>>;
}

export const folderSource = (folder: string): DataSource => ({
  where: folder,
  async find(names) {
    for (const name of names) if (await files.exists(joinPath(folder, name))) return name;
    return undefined;
  },
  read: (name) => files.read(joinPath(folder, name)),
  slices: (name) => files.slices(joinPath(folder, name)),
  // No server tells what it has.
  ...(isUrl(folder) ? {} : { list: (name) => files.list(joinPath(folder, name)), tree: () => files.tree(folder) }),
});

export const addressSource = ({ name, files: addresses }: DatasetFiles): DataSource => ({
  where: name,
  find: async (names) => names.find((file) => Object.hasOwn(addresses, file)),
  read: (file) => files.read(addresses[file] ?? file),
  slices: (file) => files.slices(addresses[file] ?? file),
  tree: async () => ({ files: Object.keys(addresses).sort(), folders: [], circles: [] }),
});

/** A single file, a path or an address, that is a set by itself, with the names of its classes where they lie beside it. */
export async function fileSource(path: string): Promise<DataSource> {
  const at = path.lastIndexOf('/') + 1;
  const [folder, name] = [path.slice(0, at), path.slice(at)];
  const beside = joinPath(folder, CLASS_NAMES);
  const names = (await files.exists(beside)) ? { [CLASS_NAMES]: beside } : {};
  return { ...addressSource({ name: folder, files: { [name]: path, ...names } }), where: folder };
}

/** @param folder of the bundled data. @param base where that lies, for those who moved it. */
export const bundledSource = (name: string, folder: string, base?: string): DataSource => ({
  where: name,
  // What is bundled is packed, but for the names of classes.
  find: async (names) => names.find((file) => /-(images|labels)-.*\.gz$|^classes\.json$/.test(file)),
  read: (file) => readBundled(joinPath(folder, file), base),
});
