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
  /** The whole file as UTF-8. Throws DataError as `read` does. */
  readText(path: string): Promise<string>;
  /**
   * Writes the whole file. Atomic: a reader sees the old file or the new one, and a write that is cut off leaves the old one
   * in place. Throws DataError when it cannot be written.
   */
  write(path: string, content: Uint8Array | string, options?: WriteOptions): Promise<void>;
  /** Adds to the end of a file, which is made if needed. Throws DataError as `write` does. */
  append(path: string, text: string, options?: WriteOptions): Promise<void>;
  /** Whether a file or folder of this name is there. */
  exists(path: string): Promise<boolean>;
  /** Makes a folder and those it stands in; no error if it is there. */
  makeDir(path: string): Promise<void>;
  /** The names in a folder, sorted. Throws DataError when it is missing. */
  list(path: string): Promise<string[]>;
}

/**
 * Reads a file of the bundled data, for example `glyphs/classes.json`.
 * `base` says where the bundled data lies (a folder, or a URL in the browser) for those who moved it.
 */
export type ReadBundled = (path: string, base?: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Joins a folder or URL and a name with one slash. */
export const joinPath = (folder: string, name: string): string =>
  folder === '' ? name : `${folder.replace(/\/+$/, '')}/${name}`;
