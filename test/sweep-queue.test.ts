/** Sweeps over machines: a real Redis on loopback, workers that are killed, a server that goes away. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SavedState } from '../src/sweep/queue/saved-state.ts';
import { engram, type Outcome, refusedIn, start } from './support/command.ts';
import { given } from './support/given.ts';
import { inFolder } from './support/in-folder.ts';
import { halfHopeless, learnt, resultsIn, stoppedEarly, writeSweep } from './support/small-sweep.ts';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
const withRedis = given(hasRedis, 'redis-server');

const freePort = () =>
  new Promise<number>((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });

/** A server that writes down what it does, so that it knows it again when it is started anew. */
class Server {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), 'engram-redis-')), await freePort());
    await server.begin();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async begin(): Promise<void> {
    const options = [
      '--port',
      `${this.port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      this.folder,
      '--save',
      '',
      '--appendonly',
      'yes',
    ];
    this.child = spawn('redis-server', options, { stdio: 'ignore' });
    await this.use(async () => {});
  }

  async end(): Promise<void> {
    const { child } = this;
    if (!child) return;
    const closed = new Promise((done) => child.once('close', done));
    child.kill('SIGTERM');
    await closed;
    this.child = null;
  }

  async remove(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  async use<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: 200 });
    redis.on('error', () => {});
    try {
      await redis.ping();
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}

const server = hasRedis ? await Server.start() : null;
test.after(() => server?.remove());

/** Against the server of this file. */
const url = server?.url ?? '';
const worker = (folder: string) =>
  start(['worker', '--queue', url, '--folder', folder, '--patience', '3', '--losses', '20']);

/** Long enough for something to happen to the run's worker. */
const slower = { data: 'fashion-mini', tasks: 5, trainPerClass: 16, testPerClass: 5, width: 4, epochs: 6, batch: 8 };

/** Waits until an epoch of the sweep's run is saved. */
async function begun(sweep: string): Promise<void> {
  const isSaved = async (redis: Redis) => {
    const [key = ''] = await redis.keys(`engram:state:${sweep}~*`);
    return (await redis.hexists(key, 'progress')) === 1;
  };
  while (!(await server!.use(isSaved))) await setTimeout(50);
}

/** What is in a folder; nothing where there is none yet. */
function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const told = ({ out, errors }: Outcome) => `${out}\n${errors}`;

withRedis(
  'thirty runs over three workers, ten of them killed and the server started anew, end as one undisturbed sweep',
  () =>
    inFolder(async (folder) => {
      const seeds = Array.from({ length: 15 }, (_, i) => i);
      const file = await writeSweep(folder, { parameters: { method: ['replay', 'finetune'] }, seeds });
      const [here, there] = [join(folder, 'here'), join(folder, 'there')];
      const undisturbed = await engram('sweep', file, '--out', here, '--jobs', '2');
      assert.is(undisturbed.code, 0, told(undisturbed));
      assert.is(resultsIn(here).length, 30);

      const workers = [0, 1, 2].map((i) => worker(join(folder, `worker-${i}`)));
      const sweep = start(['sweep', file, '--out', there, '--queue', url]);
      let over = false;
      void sweep.ended.then(() => {
        over = true;
      });
      const done = () => resultsIn(there).length;
      /** Runs that workers have begun, and not ended. */
      const underWay = (i: number) =>
        readdirOf(join(folder, `worker-${i}`, 'my')).filter((name) => name.includes('.')).length;
      for (let kills = 0; kills < 10 && !over; kills++) {
        // Two runs further each time, and in the middle of one.
        while (!over && done() < 2 * kills + 1) await setTimeout(20);
        while (!over && underWay(kills % 3) === 0) await setTimeout(5);
        await setTimeout(200 * (kills % 4));
        workers[kills % 3]!.child.kill('SIGKILL');
        await workers[kills % 3]!.ended;
        if (kills === 4) {
          await server!.end();
          await setTimeout(1000);
          await server!.begin();
        }
        workers[kills % 3] = worker(join(folder, `worker-${kills % 3}`));
      }
      const end = await sweep.ended;
      assert.is(end.code, 0, told(end));
      assert.equal(learnt(resultsIn(there)), learnt(resultsIn(here)));

      for (const { child } of workers) child.kill('SIGTERM');
      for (const { ended } of workers) {
        const { code, errors } = await ended;
        assert.is(code, 143, errors);
        assert.match(errors, /Stopped: runs that were under way are saved/);
      }
      const left = await server!.use((redis) => redis.keys('engram:*'));
      assert.equal(left, ['engram:version'], 'states and curves are gone');
      // What was learnt lies with the workers, under the runs' own names.
      const kept = [0, 1, 2].flatMap((i) => readdirSync(join(folder, `worker-${i}`, 'my')));
      const ids = resultsIn(there).map(({ run }) => run);
      assert.ok(
        ids.every((id) => kept.includes(id)),
        'every finished run has its folder',
      );
    }),
);

withRedis('a worker that is asked to stop gives its run back, and another goes on', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { settings: slower, seeds: [0] }, 'back.json');
    const out = join(folder, 'out');
    const sweep = start(['sweep', file, '--out', out, '--queue', url]);
    const first = worker(join(folder, 'first'));
    await begun('back');
    first.child.kill('SIGINT');
    assert.is((await first.ended).code, 130);
    assert.match(told(await first.ended), /returned {2}back [0-9a-f]{12}: saved/);
    const second = worker(join(folder, 'second'));
    assert.is((await sweep.ended).code, 0, told(await sweep.ended));
    second.child.kill('SIGTERM');
    assert.match((await second.ended).out, /goes on, try 2/);
    assert.is(resultsIn(out).length, 1);
  }),
);

withRedis('a worker that was away for too long finds its run taken over, and hands nothing in', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { settings: slower, seeds: [0] }, 'away.json');
    const out = join(folder, 'out');
    const sweep = start(['sweep', file, '--out', out, '--queue', url]);
    const first = worker(join(folder, 'first'));
    await begun('away');
    // Its run goes on learning, and says so to nobody.
    first.child.kill('SIGSTOP');
    const second = worker(join(folder, 'second'));
    assert.is((await sweep.ended).code, 0, told(await sweep.ended));
    first.child.kill('SIGCONT');
    await setTimeout(3000);
    for (const { child } of [first, second]) child.kill('SIGTERM');
    assert.match((await second.ended).out, /away [0-9a-f]{12}: goes on, try 2\n.*done {6}away/);
    const late = await first.ended;
    assert.match(late.out, /lost {6}away [0-9a-f]{12}: another worker has it/, told(late));
    assert.not.match(late.out, /done {6}away/);
    assert.is(resultsIn(out).length, 1);
    assert.not.ok(readdirSync(join(folder, 'first', 'away')).length, 'nothing of it is left behind');
  }),
);

withRedis('a run that was given back twice and cancelled goes on when it is put on the queue again', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { settings: slower, seeds: [0] }, 'again.json');
    const args = ['sweep', file, '--out', join(folder, 'out'), '--queue', url, '--retries', '0'];
    const sweep = start(args);
    // Tries are counted from 1 again once the run is put on the queue anew.
    for (const name of ['first', 'second']) {
      const { child, ended } = worker(join(folder, name));
      while (!readdirOf(join(folder, name, 'again')).length) await setTimeout(50);
      await begun('again');
      child.kill('SIGTERM');
      assert.match((await ended).out, /returned {2}again/);
    }
    await engram('queue', 'cancel', 'again', '--queue', url);
    assert.is((await sweep.ended).code, 1, told(await sweep.ended));
    const third = worker(join(folder, 'third'));
    const { code, out, errors } = await engram(...args);
    third.child.kill('SIGTERM');
    assert.is(code, 0, `${out}\n${errors}\n${told(await third.ended)}`);
    assert.match((await third.ended).out, /again [0-9a-f]{12}: goes on, try 1\n.*done {6}again/);
  }),
);

withRedis('a try that another has taken over from writes nothing, and takes nothing back', () =>
  inFolder((folder) =>
    server!.use(async (redis) => {
      const [here, there] = [join(folder, 'here'), join(folder, 'there')];
      const put = (text: string) => writeFile(join(here, 'progress.safetensors'), text);
      const early = await SavedState.takeOver(redis, 'a~run');
      assert.is(await early.restore(here), false, 'there is nothing yet');
      await mkdir(here);
      await put('epoch 1');
      assert.is(await early.send(here, { tasks: 0, epochs: 1 }), true);
      const late = await SavedState.takeOver(redis, 'a~run');
      assert.ok(late.token > early.token);
      const restored = async () => {
        assert.is(await late.restore(there), true);
        return readFile(join(there, 'progress.safetensors'), 'utf8');
      };
      assert.is(await restored(), 'epoch 1');
      await put('epoch 2');
      assert.is(await early.send(here, { tasks: 0, epochs: 2 }), false);
      assert.is(await restored(), 'epoch 1');
      // A task that is done has no state within it any more.
      await writeFile(join(there, 'checkpoint.safetensors'), 'task 1');
      assert.is(await late.send(there, { tasks: 1, epochs: 0 }), true);
      assert.is(await late.restore(there), true);
      assert.equal(readdirSync(there), ['checkpoint.safetensors']);
      await redis.del('engram:state:a~run');
      assert.is(await late.send(there, { tasks: 1, epochs: 0 }), false, 'the run was handed in by another');
      assert.is(await redis.exists('engram:state:a~run'), 0);
    }),
  ),
);

withRedis('a queue can be paused, gone on with, and a sweep on it cancelled', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { seeds: [0, 1] }, 'pause.json');
    const queue = (...args: string[]) => engram('queue', ...args, '--queue', url);
    assert.match((await queue('pause')).out, /^Paused/);
    const sweep = start(['sweep', file, '--out', join(folder, 'out'), '--queue', url]);
    const busy = worker(join(folder, 'worker'));
    const status = async () => (await queue()).out;
    while (!/│ pause │ +2 │ +0 │/.test(await status())) await setTimeout(100);
    assert.match(await status(), /^1 worker, paused/);
    assert.match(
      (await queue('cancel')).errors,
      /it is not said which sweep.*queue cancel NAME --queue URL; `engram queue --queue URL` lists them/,
    );
    const unknown = await queue('cancel', 'pose');
    assert.is(unknown.code, 2);
    assert.match(unknown.errors, /no sweep "pose" is on the queue\. Did you mean pause\?/);
    const cancelled = await queue('cancel', 'pause');
    assert.match(cancelled.out, /Cancelled: 2 waiting runs taken off the queue, 0 runs under way/);
    const { code, out } = await sweep.ended;
    assert.is(code, 1);
    assert.match(out, /seed 0: failed: it was cancelled\./);
    assert.match((await queue('resume')).out, /^Resumed/);
    // The same command tries again.
    const again = await engram('sweep', file, '--out', join(folder, 'out'), '--queue', url);
    assert.is(again.code, 0, told(again));
    busy.child.kill('SIGTERM');
    await busy.ended;
    assert.match((await queue('clera')).errors, /no such action\. Did you mean clear\?/);
  }),
);

withRedis('hopeless runs are stopped wherever they are learnt', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, halfHopeless, 'hopeless.json');
    const out = join(folder, 'out');
    const workers = ['first', 'second'].map((name) => worker(join(folder, name)));
    const { code, out: said, errors } = await engram('sweep', file, '--out', out, '--queue', url);
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));
    assert.is(code, 0, errors);
    assert.is(resultsIn(out).length, 6);
    assert.ok(stoppedEarly(resultsIn(out)).length > 0);
    assert.match(said, /hardly, seed \d: average [\d.]+ %, last [\d.]+ %, stopped after [23] tasks/);
  }),
);

withRedis('a sweep is followed by one process, and a queue is of one version', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { seeds: [0] }, 'one.json');
    const first = start(['sweep', file, '--out', join(folder, 'first'), '--queue', url]);
    while ((await server!.use((redis) => redis.exists('engram:followed:one'))) === 0) await setTimeout(50);
    const second = await engram('sweep', file, '--out', join(folder, 'second'), '--queue', url);
    assert.is(second.code, 2);
    assert.match(second.errors, /a sweep "one" is followed by another process already/);
    first.child.kill('SIGINT');
    assert.is((await first.ended).code, 130, 'the run stays on the queue');
    await server!.use((redis) => redis.set('engram:version', '9.9.9/1'));
    const other = await engram('worker', '--queue', url, '--folder', join(folder, 'worker'));
    assert.is(other.code, 2);
    assert.match(other.errors, /is of engram 9\.9\.9, and this is \d/);
    assert.match((await engram('queue', 'clear', '--queue', url)).out, /^Cleared/);
    assert.match((await engram('queue', '--queue', url)).out, /^0 workers, and nothing on the queue/);
  }),
);

test('a queue that does not answer is told at once, and nothing is left behind', async () => {
  const nobody = `redis://user:secret@127.0.0.1:${await freePort()}`;
  await inFolder(async (folder) => {
    const file = await writeSweep(folder, { seeds: [0] });
    await refusedIn(
      folder,
      ['sweep', file, '--out', join(folder, 'out'), '--queue', nobody],
      /no Redis or Valkey answers/,
    );
  });
  const { code, errors } = await engram('queue', '--queue', nobody);
  assert.is(code, 2);
  assert.match(errors, /no Redis or Valkey answers at redis:\/\/user:….*ECONNREFUSED/);
  assert.not.match(errors, /secret/);
  const bad = await engram('worker', '--queue', 'localhost:6379');
  assert.is(bad.code, 2);
  assert.match(bad.errors, /is not the address of a Redis or Valkey server\. It looks like redis:/);
});

test.run();
