/** The sweep as people have it: many runs from one file, stopped, killed and gone on with. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planSweep } from '../src/cli/sweep-plan.ts';
import { parseResults, resultOf } from '../src/sweep/results.ts';
import { engram, refusedIn, start } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';
import { halfHopeless, learnt, resultsIn, stoppedEarly, writeSweep } from './support/small-sweep.ts';

const four = { parameters: { method: ['replay', 'finetune'] }, seeds: [0, 1], baseline: { method: 'replay' } };

test('a sweep killed in the middle goes on from what was saved, and ends with what an undisturbed one has', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, four);
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
    const list = await engram('sweep', file, '--list');
    assert.match(
      list.out,
      /^[0-9a-f]{12} {2}replay {2}seed 0\n.* finetune {2}seed 0\n.*\n[0-9a-f]{12} {2}finetune {2}seed 1\n$/,
    );

    const first = await engram('sweep', file, '--out', whole, '--jobs', '2');
    assert.is(first.code, 0, first.errors);
    assert.match(first.out, /^sweep {5}my: 4 runs of 2 configurations\nfolder/);
    assert.match(first.out, /finetune, seed 1: average [\d.]+ %, last [\d.]+ %/);
    assert.match(first.out, /4 of 4 runs done\n┌/);
    assert.match(first.out, /│ finetune +│ +2 │ [\d.]+ ± [\d.]+ │.*│ [+−\d.]+ ± [\d.]+ \(\d:\d\) │/);
    const results = resultsIn(whole);
    assert.is(results.length, 4);
    assert.equal(
      readdirSync(join(whole, 'runs')).sort(),
      results.map(({ run }) => run),
    );

    const { child, ended } = start(['sweep', file, '--out', killed]);
    // In the middle of the second run.
    while (resultsIn(killed).length === 0) await setTimeout(20);
    const second = results.find(({ label, pair }) => label === 'finetune' && pair === 'seed 0')!.run;
    const begun = () => {
      try {
        return readFileSync(join(killed, 'runs', second, 'metrics.jsonl'), 'utf8').includes('"task":1');
      } catch {
        return false;
      }
    };
    while (!begun()) await setTimeout(5);
    child.kill('SIGKILL');
    assert.is((await ended).code, null);
    const again = await engram('sweep', file, '--out', killed);
    assert.is(again.code, 0, again.errors);
    assert.match(again.out, /4 runs of 2 configurations, 1 of them done before/);
    assert.equal(learnt(resultsIn(killed)), learnt(results));

    // Nothing is left to do, and what is added is.
    const nothing = await engram('sweep', file, '--out', killed);
    assert.match(nothing.out, /4 of them done before\nfolder.*\n┌/);
    const more = await writeSweep(folder, { ...four, parameters: { method: ['replay', 'finetune', 'lwf'] } });
    const added = await engram('sweep', more, '--out', killed, '--only', 'lwf');
    assert.match(added.out, /my: 2 runs of 1 configuration\nfolder/);
    assert.match(added.out, /│ finetune +│ +2 │/, 'the table is of all of them');
    assert.is(resultsIn(killed).length, 6);
    const table = await engram('sweep', more, '--out', killed, '--table', '--markdown');
    assert.match(
      table.out,
      /^\| configuration \|.*\n\| :-- \|.*\n(\| (replay|finetune|lwf) \| 2 \|.*\n){3}\n.*standard deviation.*\n$/,
    );
  }));

test('Ctrl-C saves the run under way, and the same command goes on', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { parameters: { method: ['finetune'] }, seeds: [0, 1] });
    const out = join(folder, 'out');
    const { child, ended } = start(['sweep', file, '--out', out]);
    while (resultsIn(out).length === 0) await setTimeout(20);
    child.kill('SIGINT');
    const { code, errors } = await ended;
    assert.is(code, 130, errors);
    assert.match(errors, /Stopped, and what is done is saved\. 1 runs? (is|are) left; to go on: .*sweep/);
    assert.is((await engram('sweep', file, '--out', out)).code, 0);
    assert.is(resultsIn(out).length, 2);
  }));

test('a run that fails is told, and in the way of no other', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, {
      configurations: [{ name: 'gone', data: join(folder, 'empty') }, { method: 'replay' }],
      seeds: [0],
    });
    mkdirSync(join(folder, 'empty'));
    const { code, out, errors } = await engram('sweep', file, '--out', join(folder, 'out'));
    assert.is(code, 1);
    assert.match(out, /gone, seed 0: failed: .*the folder is empty/);
    assert.match(out, /replay, seed 0: average/);
    assert.match(errors, /1 of 2 runs failed; the first \(gone\)/);
    assert.equal(
      resultsIn(join(folder, 'out')).map(({ label }) => label),
      ['replay'],
    );
  }));

test('runs that crash are tried again from what they saved, and not for ever', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { parameters: { method: ['replay'] }, seeds: [0] });
    const [whole, out] = [join(folder, 'whole'), join(folder, 'out')];
    await engram('sweep', file, '--out', whole);
    const { run } = resultsIn(whole)[0]!;
    // The process of a run is killed as soon as its second epoch is saved, whoever runs it.
    const crashing = (tries: string) => start(['sweep', file, '--out', out, '--retries', tries]);
    const kill = async (times: number, ended: Promise<unknown>) => {
      let over = false;
      void ended.then(() => {
        over = true;
      });
      for (let killed = 0; killed < times && !over; ) {
        const pid = holderOf(join(out, 'runs', run));
        if (pid !== null && existsProgress(join(out, 'runs', run))) {
          try {
            process.kill(pid, 'SIGKILL');
            killed++;
          } catch {
            // It is one that was killed before, whose lock nobody has taken yet.
          }
          while (!over && holderOf(join(out, 'runs', run)) === pid) await setTimeout(5);
        }
        await setTimeout(5);
      }
    };
    const given = crashing('1');
    await kill(2, given.ended);
    const failed = await given.ended;
    assert.is(failed.code, 1, failed.out);
    assert.match(failed.out, /replay, seed 0: failed: its process was ended by SIGKILL/);
    const mended = crashing('2');
    await kill(1, mended.ended);
    assert.is((await mended.ended).code, 0);
    assert.equal(learnt(resultsIn(out)), learnt(resultsIn(whole)));
  }));

/** The process that works in a run's folder. */
function holderOf(folder: string): number | null {
  try {
    const lock = readdirSync(folder)
      .filter((name) => /^lock-\d+$/.test(name))
      .at(-1);
    return JSON.parse(readFileSync(join(folder, lock!, 'holder.json'), 'utf8')).pid;
  } catch {
    return null;
  }
}

const existsProgress = (folder: string): boolean => readdirSync(folder).includes('progress.safetensors');

test('hopeless runs are stopped, and in no mean', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, halfHopeless);
    const [out, results] = [join(folder, 'out'), join(folder, 'kept.jsonl')];
    // What was recorded before the sweep was changed is no measure for its runs now.
    const { runs } = await planSweep(file);
    const others = ['a', 'b', 'c'].map((run) => {
      const figures = { average: 100, last: 100, forgetting: 0, curve: [100, 100, 100], matrix: [], seconds: 1 };
      return { ...resultOf(runs[0]!, { ...figures, cpuSeconds: 1, adapter: '', date: '', version: '' }, null), run };
    });
    writeFileSync(results, others.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const { code, out: said, errors } = await engram('sweep', file, '--out', out, '--results', results);
    assert.is(code, 0, errors);
    stoppedEarly(parseResults(readFileSync(results, 'utf8'), results).slice(others.length));
    assert.match(said, /hardly, seed \d: average [\d.]+ %, last [\d.]+ %, stopped after [23] tasks/);
    assert.match(said, /│ hardly +│ 3, \d stopped │/);
  }));

test('a run that has learnt all its tasks is not stopped, however hopeless: it hands its result in', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, { ...halfHopeless, earlyStop: { minTasks: 3, margin: 2 } });
    const out = join(folder, 'out');
    const { code, errors } = await engram('sweep', file, '--out', out);
    assert.is(code, 0, errors);
    const results = resultsIn(out);
    assert.equal([results.length, results.filter(({ stopped }) => stopped !== undefined)], [6, []]);
  }));

test('a folder holds one sweep, and bad files leave nothing behind', () =>
  inFolder(async (folder) => {
    const file = await writeSweep(folder, four);
    const out = join(folder, 'out');
    const { child, ended } = start(['sweep', file, '--out', out]);
    while (resultsIn(out).length === 0) await setTimeout(20);
    const second = await engram('sweep', file, '--out', out);
    assert.is(second.code, 2);
    assert.match(second.errors, /under way in this folder \(process \d+, since/);
    child.kill('SIGTERM');
    assert.is((await ended).code, 143);

    const other = await writeSweep(folder, four, 'other.json');
    await refusedIn(
      folder,
      ['sweep', other, '--out', out],
      /the sweep "my" is in this folder, and this one is "other"/,
    );
    writeFileSync(join(folder, 'note.txt'), 'mine\n');
    await refusedIn(folder, ['sweep', file, '--out', folder], /something here already that is no sweep/);
    const bad = await writeSweep(folder, { parameters: { momentun: [0.5] } }, 'bad.json');
    await refusedIn(
      folder,
      ['sweep', bad, '--out', join(folder, 'new')],
      /no setting "momentun"\. Did you mean momentum\?/,
    );
    await refusedIn(
      folder,
      ['sweep', file, '--out', join(folder, 'new'), '--only', 'replay', 'finetun'],
      /no configuration of this sweep is called "finetun"\. Did you mean finetune\? `engram sweep FILE --list` names them all/,
    );
    await refusedIn(folder, ['sweep', join(folder, 'missing.json')], /missing.json: cannot read this file/);
    const vague = await writeSweep(folder, { ...four, baseline: { method: 'wa' } }, 'vague.json');
    await refusedIn(folder, ['sweep', vague, '--out', join(folder, 'new')], /no run has the settings of the baseline/);
    const gone = await writeSweep(folder, { parameters: { data: ['glyphs', join(folder, 'photos')] } }, 'gone.json');
    await refusedIn(
      folder,
      ['sweep', gone, '--out', join(folder, 'new')],
      /photos: this is neither a bundled data set nor a folder\. Say where it lies by "data" in the sweep; bundled are/,
    );
    for (const [results, why] of [
      [join(folder, 'note.txt', 'results.jsonl'), /note\.txt is not a folder/],
      [folder, /this is a folder, a file was expected/],
      [join(folder, 'note.txt'), /note\.txt, line 1: this is not the result of a run/],
    ] as const)
      await refusedIn(folder, ['sweep', file, '--out', join(folder, 'new'), '--results', results], why);
    await refusedIn(folder, ['sweep-run'], /the part of `engram sweep` that learns one run/);
  }));

test.run();
