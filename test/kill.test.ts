/** A run that is killed and resumed, again and again, at random moments and within its writes: it ends as one that never was. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../src/tensor/random.ts';
import { type Ended, runUntilKilled } from './support/killed.ts';
import { runOutcome } from './support/run-outcome.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-kill-'));
test.after(() => rmSync(home, { recursive: true, force: true }));

/** Tasks with a state within them, exemplars, a method that draws: little of each. */
const settings =
  '--method rdkd --tasks 3 --class-order 1,3,5,7,8,9 --train-per-class 4 --test-per-class 2 --epochs 4 --memory 6 --batch 4 --width 2';

/** @param kill The operation on files it dies at (see `support/kill-at.ts`), or the milliseconds it has from `ready` on. */
function engram(folder: string, kill?: string | number, ready = () => true): Promise<Ended> {
  const isBegun = existsSync(join(folder, 'config.json'));
  const args = isBegun ? ['train', '--resume', '--out', folder] : ['train', ...settings.split(' '), '--out', folder];
  const within = typeof kill === 'string';
  return runUntilKilled([...(within ? ['--import', './.build/test/support/kill-at.js'] : []), 'dist/cli.js', ...args], {
    env: { ...process.env, NO_COLOR: '1', ...(within ? { ENGRAM_KILL_AT: kill, ENGRAM_KILL_IN: folder } : {}) },
    kill: within ? undefined : kill,
    ready,
  });
}

test('killed at random moments, inside writes too, a run ends as one that was never killed', async () => {
  const seed = Number(process.env.ENGRAM_KILL_SEED ?? Date.now() % 1e6);
  const random = Random.of(seed, 'kills');
  console.log(`ENGRAM_KILL_SEED=${seed}`);
  const whole = join(home, 'whole');
  const { code, said } = await engram(whole);
  assert.is(code, 0, said);
  const expected = runOutcome(whole);
  // Compiling is all that SwiftShader does in so short a run.
  const kills = said.includes('swiftshader') ? 5 : 20;
  let [killed, runs] = [0, 0];
  const story: string[] = [];
  while (killed < kills) {
    const folder = join(home, `run-${runs++}`);
    for (let ended: Ended | null = null; ended?.code !== 0; ) {
      // A run makes about 130 operations; most of them are parts of writes.
      const kill =
        killed >= kills
          ? undefined
          : random.chance(0.25)
            ? random.int(1500)
            : `${1 + random.int(60)}:${random.choice(['before', 'inside', 'after'], 1)[0]}`;
      story.push(`${folder}: ${kill ?? 'left alone'}`);
      ended = await engram(folder, kill, () => existsSync(folder));
      assert.ok(ended.code === 0 || ended.signal === 'SIGKILL', `${story.join('\n')}\n${ended.said}`);
      if (ended.signal) killed++;
    }
    const outcome = runOutcome(folder);
    for (const part of Object.keys(expected) as (keyof typeof expected)[])
      assert.equal(outcome[part], expected[part], `${part}\n${story.join('\n')}`);
  }
  console.log(`${killed} kills in ${runs} runs`);
});

test.run();
