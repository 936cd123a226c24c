/**
 * The last saved state of a run, on the queue: whichever worker takes the run goes on from there, also on another machine. Each try
 * draws a number when it begins, and one that another has taken over from cannot write any more (a fencing token; Kleppmann,
 * "Designing Data-Intensive Applications", 2017, chapter 8). The queue's own count of tries is none: it begins anew with a run that
 * is put on the queue again.
 */
import { readFile, rm } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { files } from '#files';
import { CHECKPOINT } from '../../continual/benchmark/run-files.ts';
import { joinPath } from '../../data/files.ts';
import { STATE_LIFE, stateKey } from './names.ts';

/** As runs call it in their folders. */
const PROGRESS = 'progress.safetensors';

/** The number of the try that has the run. */
const TOKEN = 'token';

/** KEYS: the state. ARGV: token, seconds to live, then fields and values; a value of nothing takes its field away. */
const SAVE = `
if redis.call('HGET', KEYS[1], '${TOKEN}') ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1`;

const bytesOf = (path: string): Promise<Buffer | null> => readFile(path).catch(() => null);

export class SavedState {
  /** Tasks of the checkpoint that is on the queue. */
  private sent = -1;

  private constructor(
    private readonly redis: Redis,
    private readonly key: string,
    /** Larger than that of any try before. */
    readonly token: number,
  ) {}

  /** Takes the run over from tries before, which cannot write any more. */
  static async takeOver(redis: Redis, job: string): Promise<SavedState> {
    const key = stateKey(job);
    const token = await redis.hincrby(key, TOKEN, 1);
    await redis.expire(key, STATE_LIFE);
    return new SavedState(redis, key, token);
  }

  /**
   * Brings what tries before saved into a folder.
   * @returns whether there was anything.
   */
  async restore(folder: string): Promise<boolean> {
    const { checkpoint, progress } = (await this.redis.hgetallBuffer(this.key)) as Record<string, Buffer | undefined>;
    await rm(folder, { recursive: true, force: true });
    if (checkpoint) await files.write(joinPath(folder, CHECKPOINT), checkpoint);
    if (progress) await files.write(joinPath(folder, PROGRESS), progress);
    return checkpoint !== undefined || progress !== undefined;
  }

  /**
   * Sends what is in the folder now.
   * @param tasks that are learnt there. @param epochs of the one after them.
   * @returns whether it was taken: not where a later try has the run.
   */
  async send(folder: string, { tasks, epochs }: { readonly tasks: number; readonly epochs: number }): Promise<boolean> {
    // First what depends on the other: read the other way round, the state within a task might be without that before it.
    const progress = epochs > 0 ? await bytesOf(joinPath(folder, PROGRESS)) : Buffer.alloc(0);
    const checkpoint = tasks > 0 && tasks !== this.sent ? await bytesOf(joinPath(folder, CHECKPOINT)) : null;
    const fields = [
      ...(progress === null ? [] : ['progress', progress]),
      ...(checkpoint === null ? [] : ['checkpoint', checkpoint]),
    ];
    const isTaken = await this.save(fields);
    if (isTaken && checkpoint) this.sent = tasks;
    return isTaken;
  }

  /** Takes it away: the run is done. */
  async remove(): Promise<void> {
    await this.redis.del(this.key);
  }

  private async save(fields: (string | Buffer)[]): Promise<boolean> {
    return (await this.redis.eval(SAVE, 1, this.key, this.token, STATE_LIFE, ...fields)) === 1;
  }
}
