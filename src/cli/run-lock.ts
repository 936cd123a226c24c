/**
 * One process at a time in a run's folder. The lock is a folder `lock-N` with a file that says who holds it: made under another
 * name and renamed, so that it is there as a whole or not at all, and so that of two processes only one gets the name. What a
 * process left that is gone is not waited for: the next one takes `lock-N+1`, and only then takes the old one away.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { files } from '#files';
import { joinPath } from '../data/files.ts';
import { ConfigError, DataError } from '../errors.ts';

const LOCK = /^lock-(\d+)$/;
const UNFINISHED = /^lock\.[\w-]+\.tmp$/;
const HOLDER = 'holder.json';

/** Whether a name in a folder is a lock's: held or not, or being made. */
export const isLock = (name: string): boolean => LOCK.test(name) || UNFINISHED.test(name);

const holderSchema = v.object({
  id: v.string(),
  pid: v.number(),
  /** What tells the process from another one of its number; empty where that is not known. */
  born: v.string(),
  host: v.string(),
  /** Where process numbers mean the same. */
  place: v.string(),
  /** When the lock was taken, ISO 8601. */
  since: v.string(),
});
type Holder = v.InferOutput<typeof holderSchema>;

/** Milliseconds: a holder that cannot be asked after shows a sign of life so often, and counts as gone without one for so long. */
const SIGN_MS = 10_000;
const GONE_MS = 60_000;
/** Others that take and leave the lock at the same moment are not met so often. */
const TRIES = 100;

const textOr = (read: () => string, otherwise = ''): string => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};

/** State and time of birth of a process on Linux (fields 3 and 22, after a name that may hold anything); null elsewhere. */
function onLinux(pid: number): { state: string; born: string } | null {
  const fields = textOr(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const [state, ...rest] = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
  return fields === '' ? null : { state: state as string, born: rest[18] ?? '' };
}

/** The machine since it was started, and the container. */
const place = (): string =>
  [
    hostname(),
    textOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    textOr(() => readlinkSync('/proc/self/ns/pid')),
  ].join(' ');

function isRunning({ pid, born }: Holder, silentMs: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const process_ = onLinux(pid);
  // Without a time of birth it may be another one of the same number.
  if (!process_ || born === '') return silentMs < GONE_MS;
  // One that was killed and that its parent has not asked after yet is gone, too.
  return process_.born === born && process_.state !== 'Z' && process_.state !== 'X';
}

interface Found {
  readonly name: string;
  readonly number: number;
  /** Who holds it; none where the process is gone. */
  readonly holder: Holder | null;
}

async function readHolder(lock: string): Promise<Holder | null> {
  const text = await readFile(joinPath(lock, HOLDER), 'utf8').catch(() => '');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), holderSchema), text);
  return parsed.success ? parsed.output : null;
}

/** @param now by the clock of the folder's file system, in ms. */
async function locksIn(folder: string, now: number): Promise<Found[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => LOCK.test(name));
  return Promise.all(
    names.map(async (name) => {
      const lock = joinPath(folder, name);
      const holder = await readHolder(lock);
      const signs = await stat(joinPath(lock, HOLDER)).catch(() => null);
      const silent = signs ? now - signs.mtimeMs : Number.POSITIVE_INFINITY;
      const isLive = holder !== null && (holder.place === place() ? isRunning(holder, silent) : silent < GONE_MS);
      return { name, number: Number(LOCK.exec(name)?.[1]), holder: isLive ? holder : null };
    }),
  );
}

function running(folder: string, { pid, host, place: where, since }: Holder): ConfigError {
  const here = where === place();
  return new ConfigError({
    where: folder,
    message: `a run is under way in this folder (process ${pid}${here ? '' : ` on ${host}`}, since ${since}), and two at once would spoil it.`,
    fix: here
      ? 'Wait for it or stop it, or choose another --out.'
      : 'Wait for it, stop it there, or choose another --out; a minute after its end the folder is free.',
  });
}

/** @throws {ConfigError} naming the process that is at work in this folder. */
export async function assertNotRunning(folder: string): Promise<void> {
  const live = (await locksIn(folder, Date.now())).find(({ holder }) => holder);
  if (live?.holder) throw running(folder, live.holder);
}

export class RunLock {
  private readonly signs: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly id: string,
  ) {
    const holder = joinPath(path, HOLDER);
    this.signs = setInterval(() => {
      const now = new Date();
      utimes(holder, now, now).catch(() => undefined);
    }, SIGN_MS).unref();
    process.on('exit', this.release);
  }

  /**
   * @param folder must be there.
   * @throws {ConfigError} naming the process that has it.
   * @throws {DataError} when nothing can be written there.
   */
  static async take(folder: string): Promise<RunLock> {
    for (let tries = 0; tries < TRIES; tries++) {
      const lock = await RunLock.tryToTake(folder);
      if (lock) return lock;
    }
    throw new DataError({
      where: folder,
      message: 'this folder cannot be locked: other processes change it all the time.',
      fix: 'Choose another --out.',
    });
  }

  /** @returns null when another process was at it at the same moment. */
  private static async tryToTake(folder: string): Promise<RunLock | null> {
    await assertNotRunning(folder);
    const id = randomUUID();
    const unfinished = joinPath(folder, `lock.${id}.tmp`);
    const holder: Holder = {
      id,
      pid: process.pid,
      born: onLinux(process.pid)?.born ?? '',
      host: hostname(),
      place: place(),
      since: new Date().toISOString(),
    };
    let isMade = false;
    try {
      await files.makeDir(unfinished);
      isMade = true;
      await files.write(joinPath(unfinished, HOLDER), `${JSON.stringify(holder)}\n`);
      const now = (await stat(joinPath(unfinished, HOLDER))).mtimeMs;
      const found = await locksIn(folder, now);
      const path = joinPath(folder, `lock-${Math.max(0, ...found.map(({ number }) => number)) + 1}`);
      // Fails where there is one already: a folder with something in it is not replaced.
      const isMine = await rename(unfinished, path).then(
        () => true,
        () => false,
      );
      if (!isMine) return null;
      const lock = new RunLock(path, id);
      await lock.settle(folder, now);
      return lock;
    } catch (error) {
      // One that has the lock meanwhile takes away what is half made; it may have let go of it since.
      await assertNotRunning(folder);
      if (isMade && !(await files.exists(unfinished))) return null;
      throw error;
    } finally {
      await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /**
   * Takes away what others left, locks that killed ones were making too: who makes one now tries again where it is gone. One that
   * began to count anew meanwhile has another name: both see each other, and neither goes on.
   */
  private async settle(folder: string, now: number): Promise<void> {
    const others = (await locksIn(folder, now)).filter(({ name }) => joinPath(folder, name) !== this.path);
    const live = others.find(({ holder }) => holder);
    if (live?.holder) {
      this.release();
      throw running(folder, live.holder);
    }
    const unfinished = (await readdir(folder)).filter((name) => UNFINISHED.test(name));
    for (const name of [...others.map((one) => one.name), ...unfinished])
      await rm(joinPath(folder, name), { recursive: true, force: true });
  }

  /** Whether the folder is still the one that was locked. */
  async isHeld(): Promise<boolean> {
    return (await readHolder(this.path))?.id === this.id;
  }

  /** At once, for it is the last thing that a process does. */
  readonly release = (): void => {
    clearInterval(this.signs);
    process.off('exit', this.release);
    // Somebody else's may lie under this name, where the folder was removed and made again.
    const text = textOr(() => readFileSync(joinPath(this.path, HOLDER), 'utf8'));
    if (!text.includes(this.id)) return;
    try {
      rmSync(this.path, { recursive: true, force: true });
    } catch {
      // It is known to be of a process that is gone.
    }
  };
}
