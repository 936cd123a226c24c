/** What is kept in this browser: one file in its private file system, by one tab at a time. */

const FOLDER = 'engram';
const FILE = 'teach.safetensors';
const LOCK = 'engram teach';

const reasons: Readonly<Record<string, string>> = {
  QuotaExceededError: 'there is no room left for this site',
  SecurityError: 'this browser keeps nothing for it, as in a private window',
  NotAllowedError: 'this browser keeps nothing for it, as in a private window',
};

/** Why nothing is kept, in a clause. */
export const reasonOf = (error: unknown): string => {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  return reasons[name] ?? message;
};

const folder = async (create: boolean): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create });

const isMissing = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotFoundError';

export class Store {
  private wanted: Uint8Array<ArrayBuffer> | null = null;
  private writing: Promise<void> | null = null;
  private isMine = false;

  /**
   * @param stored is told after each time it was written, and why where it could not be.
   * @param taken is told when another tab took it over.
   */
  constructor(
    private readonly stored: (fault: string | null) => void,
    private readonly taken: () => void,
  ) {}

  /** Whether this tab has it now. @param takeOver even where another one has. */
  async open(takeOver: boolean): Promise<boolean> {
    // Outside of secure contexts there are neither locks nor anything to keep it in, nor WebGPU, of which the page is to tell.
    if (this.isMine || !navigator.locks) return true;
    const options: LockOptions = takeOver ? { steal: true } : { ifAvailable: true };
    return new Promise((opened) => {
      // Held as long as this worker lives: what the callback returns is never settled.
      const held = navigator.locks.request(LOCK, options, (lock) => {
        this.isMine = lock !== null;
        opened(this.isMine);
        return lock ? new Promise<void>(() => {}) : undefined;
      });
      held.then(undefined, () => {
        this.isMine = false;
        this.wanted = null;
        this.taken();
      });
    });
  }

  /** `null` where nothing is kept, or nothing can be. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      const file = await (await (await folder(false)).getFileHandle(FILE)).getFile();
      return new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      if (!isMissing(error)) this.stored(reasonOf(error));
      return null;
    }
  }

  /** Writes it, after what is being written: of several meanwhile the last. */
  save(content: Uint8Array<ArrayBuffer>): void {
    if (!this.isMine) return;
    this.wanted = content;
    this.writing ??= this.write();
  }

  /** Takes it away. */
  async remove(): Promise<void> {
    this.wanted = null;
    await this.writing;
    try {
      await (await folder(false)).removeEntry(FILE);
    } catch (error) {
      if (!isMissing(error)) this.stored(reasonOf(error));
    }
  }

  private async write(): Promise<void> {
    try {
      while (this.wanted && this.isMine) {
        const content = this.wanted;
        this.wanted = null;
        // What is written goes to a copy, which takes the file's place when it is closed.
        const stream = await (await (await folder(true)).getFileHandle(FILE, { create: true })).createWritable();
        await stream.write(content);
        await stream.close();
      }
      this.stored(null);
    } catch (error) {
      this.wanted = null;
      this.stored(reasonOf(error));
    } finally {
      this.writing = null;
    }
  }
}
