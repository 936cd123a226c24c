/**
 * The one door to files. Everything above it runs in Node and in the browser alike; `package.json` maps `#files` to
 * `files-node.ts` or `files-browser.ts`, each of which exports `files: FileStore` and `readBundled`.
 */

export interface WriteOptions {
  /** Make the folder that the file lies in, and those it stands in (default); otherwise it must be there. */
  readonly makeFolder?: boolean;
}

/** Named bytes: a file system in Node, the origin private file system (and URLs, to read) in the browser. */
export interface FileStore {
  /** The whole file. Throws DataError when it is missing, cannot be read, or is not a regular file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The file for reading parts of it, which are fetched when they are asked for. Throws DataError as `read` does. */
  slices(path: string): Promise<FileSlices>;
  /** The whole file as UTF-8. Throws DataError as `read` does. */
  readText(path: string): Promise<string>;
  /**
   * Writes the whole file. Atomic: a reader sees the old file or the new one, and a write that is cut off leaves the old one
   * in place. Throws DataError when it cannot be written.
   */
  write(path: string, content: Uint8Array | string, options?: WriteOptions): Promise<void>;
  /** Adds to the end of a file, which is made if needed. Throws DataError as `write` does. */
  append(path: string, content: Uint8Array | string, options?: WriteOptions): Promise<void>;
  /** Whether a file or folder of this name is there. */
  exists(path: string): Promise<boolean>;
  /** Makes a folder and those it stands in; no error if it is there. */
  makeDir(path: string): Promise<void>;
  /** The names in a folder, sorted. Throws DataError when it is missing. */
  list(path: string): Promise<string[]>;
  /** All that lies below a folder, however deep. Throws DataError when it is missing. */
  tree(path: string): Promise<FileTree>;
}

/** A file that may be larger than memory. */
export interface FileSlices {
  readonly byteLength: number;
  /** Bytes from `start` up to before `end`, the file's by default. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** A file that is in memory. */
export const slicesOf = (bytes: Uint8Array<ArrayBuffer>): FileSlices => ({
  byteLength: bytes.length,
  slice: async (start, end) => bytes.slice(start, end).buffer,
});

/** What lies below a folder, as paths from there with `/`, sorted; without what is hidden by a dot at its beginning. */
export interface FileTree {
  /** Links to files among them, and links that lead nowhere. */
  readonly files: readonly string[];
  /** Links to folders among them: what is in those is there too. */
  readonly folders: readonly string[];
  /** Links back to a folder that they lie in; they are not followed. */
  readonly circles: readonly string[];
}

/**
 * Reads a file of the bundled data, for example `glyphs/classes.json`.
 * `base` says where the bundled data lies (a folder, or a URL in the browser) for those who moved it.
 */
export type ReadBundled = (path: string, base?: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Joins a folder or URL and a name with one slash; either may be empty. */
export const joinPath = (folder: string, name: string): string =>
  folder === '' || name === '' ? folder || name : `${folder.replace(/\/+$/, '')}/${name}`;
