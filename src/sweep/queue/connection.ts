/** The connection to Redis or Valkey, by the optional packages `bullmq` and `ioredis`. */
import type { Redis } from 'ioredis';
import { ConfigError } from '../../errors.ts';
import { PROTOCOL, VERSION_KEY } from './names.ts';

/** Milliseconds to wait for a first answer. */
const FIRST_ANSWER = 5000;
/** Milliseconds between tries to reach a server that is gone. */
const MOST_PAUSE = 2000;

interface QueuePackages {
  readonly bullmq: typeof import('bullmq');
  readonly Redis: typeof import('ioredis').Redis;
}

/** @throws {ConfigError} where they are not installed. */
async function queuePackages(): Promise<QueuePackages> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis: ioredis.Redis };
  } catch (cause) {
    throw new ConfigError({
      where: '--queue',
      message: 'the packages bullmq and ioredis are not installed, which queues need.',
      fix: 'Install them: npm install bullmq ioredis',
      cause,
    });
  }
}

/** Without the password. */
export function shownUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '…';
    return decodeURI(parsed.href);
  } catch {
    return url;
  }
}

/** @throws {ConfigError} for what is no address of a Redis. */
function checkUrl(url: string): void {
  const isRedis = URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol) && new URL(url).hostname !== '';
  if (isRedis) return;
  throw new ConfigError({
    where: '--queue',
    message: `"${shownUrl(url)}" is not the address of a Redis or Valkey server.`,
    fix: 'It looks like redis://localhost:6379 or rediss://user:password@host:6380/0.',
  });
}

export interface Connection {
  /** Without the password. */
  readonly url: string;
  /** For plain commands; waits while the server is gone. */
  readonly redis: Redis;
  readonly bullmq: typeof import('bullmq');
  /** Another one like {@link redis}. */
  another(): Redis;
  close(): Promise<void>;
}

/**
 * Connects, and waits from then on whenever the server is gone.
 * @param version of the library.
 * @param options `anyVersion`: use the queue of another version too.
 * @throws {ConfigError} when the address is none, nothing answers, or the queue is another version's.
 */
export async function connect(
  url: string,
  version: string,
  { anyVersion = false }: { readonly anyVersion?: boolean } = {},
): Promise<Connection> {
  checkUrl(url);
  const { bullmq, Redis } = await queuePackages();
  const shown = shownUrl(url);
  const options = {
    maxRetriesPerRequest: null,
    connectTimeout: FIRST_ANSWER,
    retryStrategy: (times: number) => Math.min(MOST_PAUSE, 100 * times),
  };
  await firstAnswer(new Redis(url, { ...options, lazyConnect: true, retryStrategy: () => null }), shown);
  const open: Redis[] = [];
  const another = () => {
    const redis = new Redis(url, options);
    // Without a listener an error would end the process; that the server is gone shows in what is waited for.
    redis.on('error', () => {});
    open.push(redis);
    return redis;
  };
  const redis = another();
  const close = async () => {
    for (const one of open) one.disconnect();
  };
  try {
    if (!anyVersion) await assertVersion(redis, version, shown);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: shown, redis, bullmq, another, close };
}

async function firstAnswer(redis: Redis, shown: string): Promise<void> {
  let reason = '';
  redis.on('error', (error) => {
    reason = error.message;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (cause) {
    const why = reason || (cause as Error).message;
    throw new ConfigError({
      where: '--queue',
      message: `no Redis or Valkey answers at ${shown}: ${why.replace(/\.$/, '')}.`,
      fix: 'Start one (redis-server), or check the address, the password and the way there.',
      cause,
    });
  } finally {
    redis.disconnect();
  }
}

/** Makes the queue this version's where it is nobody's yet. */
async function assertVersion(redis: Redis, version: string, shown: string): Promise<void> {
  const own = `${version}/${PROTOCOL}`;
  const found = (await redis.set(VERSION_KEY, own, 'NX', 'GET')) ?? own;
  if (found === own) return;
  const [other] = found.split('/');
  throw new ConfigError({
    where: '--queue',
    message: `the queue at ${shown} is of engram ${other}, and this is ${version}: runs of two versions would be no comparison.`,
    fix: 'Use the same version everywhere, another database of the server (redis://host:6379/1), or `engram queue clear` there.',
  });
}
