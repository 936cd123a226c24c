/** What was dropped, pasted or chosen: pictures, and folders of them, each a class by its name. */

/** Files by the folder that they lie in; `null` for those that were given by themselves. */
export type Dropped = Map<string | null, File[]>;

/** More than a class has room for is not read. */
const MOST_FILES = 1000;
/** What systems keep beside pictures. */
const isHidden = (name: string): boolean => name.startsWith('.');

/** Of a folder that was chosen, with all that lies in it. */
export function folderFiles(files: Iterable<File>): Dropped {
  const found: Dropped = new Map();
  for (const file of files) {
    const folder = file.webkitRelativePath.split('/').at(-2) ?? null;
    const own = found.get(folder) ?? [];
    if (!isHidden(file.name) && own.length < MOST_FILES) found.set(folder, [...own, file]);
  }
  return found;
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((given, failed) => entry.file(given, failed));

async function* entriesOf(folder: FileSystemDirectoryEntry): AsyncGenerator<FileSystemEntry> {
  const reader = folder.createReader();
  // A part at a time, until there is none.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((given, failed) => reader.readEntries(given, failed));
    if (part.length === 0) return;
    yield* part;
  }
}

async function collect(entry: FileSystemEntry, folder: string | null, into: Dropped): Promise<void> {
  const own = into.get(folder) ?? [];
  if (entry.isFile) {
    if (isHidden(entry.name) || own.length >= MOST_FILES) return;
    into.set(folder, [...own, await fileOf(entry as FileSystemFileEntry)]);
    return;
  }
  for await (const one of entriesOf(entry as FileSystemDirectoryEntry)) await collect(one, entry.name, into);
}

/** To be called at once: the browser takes what was given back after the event. */
export async function droppedFiles(given: DataTransfer): Promise<Dropped> {
  const entries = [...given.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = [...given.files];
  const found: Dropped = new Map();
  for (const entry of entries) await collect(entry, null, found);
  // Pasted pictures are no entries.
  if (found.size === 0 && files.length > 0) found.set(null, files);
  return found;
}
