/** A run's folder and what may happen to it between two commands: noticed, told, and mended or refused. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interrupted } from '../src/cli/exit.ts';
import { learn } from '../src/cli/learn.ts';
import { RunFolder } from '../src/cli/run-folder.ts';
import type { MetricsLine } from '../src/continual/benchmark/benchmark-state.ts';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { flagOf } from '../src/continual/setting-name.ts';
import type { DatasetSplit } from '../src/data/dataset.ts';
import { EngramError } from '../src/errors.ts';
import { readSafetensors, writeSafetensors } from '../src/nn/safetensors.ts';
import { engine } from './support/engine.ts';
import { benchmarkOf, flipBit, halve, said, snapshot } from './support/folder-files.ts';
import { given } from './support/given.ts';
import { refusal } from './support/refusal.ts';
import { runOutcome } from './support/run-outcome.ts';
import { fashion } from './support/small-run.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-folder-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

const config = parseConfig({
  method: 'rdkd',
  tasks: 3,
  classOrder: [1, 3, 5, 7, 8, 9],
  trainPerClass: 4,
  testPerClass: 2,
  epochs: 3,
  memory: 6,
  batch: 4,
  width: 2,
});

type Watch = (line: MetricsLine, folder: RunFolder) => void;

/** Makes a run, or goes on with one; `watch` sees every line of metrics once it is written. */
function run(
  name: string,
  { resume = true, watch, split = fashion }: { resume?: boolean; watch?: Watch; split?: DatasetSplit } = {},
): Promise<string[]> {
  return said(async () => {
    const folder = resume ? await RunFolder.open(at(name)) : null;
    await learn(
      engine,
      split,
      folder?.config ?? config,
      async (complete) => {
        const made = folder ?? (await RunFolder.create(at(name), complete));
        const add = made.addMetrics.bind(made);
        made.addMetrics = async (line) => {
          await add(line);
          watch?.(line, made);
        };
        return made;
      },
      { saveEvery: 1 },
    ).finally(() => folder?.close());
  });
}

/** One paragraph, and nothing changed. */
async function refused(name: string, expected: RegExp, options: Parameters<typeof run>[1] = {}): Promise<void> {
  const before = snapshot(at(name));
  const error = await refusal(run(name, options));
  assert.instance(error, EngramError, `${error.stack}`);
  assert.match(error.message, expected);
  assert.not.match(error.message, /\n/);
  assert.equal(snapshot(at(name)), before);
}

const stopAfter =
  (task: number, epoch: number): Watch =>
  (line) => {
    if (line.type === 'epoch' && line.task === task && line.epoch === epoch) process.emit('SIGINT', 'SIGINT');
  };

/** One left alone; one stopped after two epochs of its third task, whose first state is kept; one after two of its first. */
await run('whole', { resume: false });
const expected = runOutcome(at('whole'));
for (const [name, watch] of [
  [
    'half',
    (line: MetricsLine, folder: RunFolder) => {
      if (line.type === 'task' && line.task === 0)
        copyFileSync(join(folder.path, 'checkpoint.safetensors'), at('first-checkpoint'));
      stopAfter(2, 1)(line, folder);
    },
  ],
  ['early', stopAfter(0, 1)],
] as const) {
  const error = await refusal(run(name, { resume: false, watch }));
  if (!(error instanceof Interrupted)) throw error;
}

/** A copy of a run under another name, with something done to it. */
function spoilt(from: string, spoil: (folder: string) => void): string {
  const name = `${from}-${readdirSync(home).length}`;
  cpSync(at(from), at(name), { recursive: true });
  spoil(at(name));
  return name;
}

async function endsAsTheWhole(name: string, notices: readonly RegExp[]): Promise<void> {
  const told = (await run(name)).filter((line) => !line.startsWith('6 of 10 classes are learnt'));
  assert.is(told.length, notices.length, told.join('\n'));
  for (const [i, notice] of notices.entries()) assert.match(told[i] as string, notice);
  const outcome = runOutcome(at(name));
  for (const part of Object.keys(expected) as (keyof typeof expected)[])
    assert.equal(outcome[part], expected[part], part);
}

test('a run that was stopped says what is saved, and goes on without a word', async () => {
  const error = await refusal(run('stopped', { resume: false, watch: stopAfter(2, 0) }));
  assert.match(error.message, /^Stopped\. The first 2 of 3 tasks are saved, and 1 epoch of task 3\. To go on: /);
  assert.not.ok(readdirSync(at('stopped')).some((name) => name.startsWith('lock')));
  await endsAsTheWhole('stopped', []);
  await endsAsTheWhole(
    spoilt('early', () => {}),
    [],
  );
});

test('when the run began, and how long it took, is in its state', async () => {
  const name = spoilt('half', (folder) => rmSync(join(folder, 'run.json')));
  const { began, lines } = benchmarkOf(at(name, 'progress.safetensors'));
  await endsAsTheWhole(name, []);
  const record = JSON.parse(readFileSync(at(name, 'run.json'), 'utf8'));
  assert.is(record.date, began);
  const seconds = lines.flatMap((line) => (line.type === 'task' ? [line.seconds] : []));
  assert.is(seconds.length, 2);
  const last = benchmarkOf(at(name, 'checkpoint.safetensors')).lines.at(-1);
  assert.is(
    record.seconds,
    [...seconds, last?.seconds ?? 0].reduce((sum, s) => sum + s, 0),
  );
});

test('metrics that are lost, cut, foreign or further than the state are made again from it', async () => {
  const metrics = (spoil: (file: string) => void) => spoilt('half', (folder) => spoil(join(folder, 'metrics.jsonl')));
  await endsAsTheWhole(metrics(rmSync), [/metrics\.jsonl was missing, and is made again/]);
  await endsAsTheWhole(metrics(halve), [/metrics\.jsonl was cut short, and is made again/]);
  await endsAsTheWhole(
    metrics((file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"epoch":1', '"epoch":7'))),
    [/metrics\.jsonl did not agree/],
  );
  const whole = readFileSync(at('whole', 'metrics.jsonl'), 'utf8').split('\n');
  await endsAsTheWhole(
    metrics((file) => writeFileSync(file, readFileSync(file, 'utf8') + whole[10]?.slice(0, 40))),
    [/^1 epoch was not saved, and is learnt again/],
  );
});

test('a damaged record and a damaged configuration are made again, a damaged state within a task costs the task', async () => {
  const half = (name: string) => spoilt('half', (folder) => halve(join(folder, name)));
  await endsAsTheWhole(half('run.json'), [/run\.json was damaged/]);
  await endsAsTheWhole(half('config.json'), [/config\.json was damaged, and is made again/]);
  await endsAsTheWhole(
    spoilt('early', (folder) => rmSync(join(folder, 'config.json'))),
    [/config\.json was missing, and is made again/],
  );
  await endsAsTheWhole(half('progress.safetensors'), [
    /progress\.safetensors cannot be used \(.*cut off.*\): its task is learnt from the beginning/,
    /^2 epochs were not saved, and are learnt again/,
  ]);
  await endsAsTheWhole(
    spoilt('half', (folder) => flipBit(join(folder, 'progress.safetensors'))),
    [/progress\.safetensors cannot be used \(.*the checksum differs\)/, /^2 epochs were not saved/],
  );
  await endsAsTheWhole(
    spoilt('half', (folder) => rmSync(join(folder, 'progress.safetensors'))),
    [/^2 epochs were not saved, and are learnt again/],
  );
});

test('the state of a task that is finished since is of no use, and that of one further on neither', async () => {
  const older = spoilt('half', (folder) =>
    copyFileSync(at('early', 'progress.safetensors'), join(folder, 'progress.safetensors')),
  );
  await endsAsTheWhole(older, [/^2 epochs were not saved/]);
  const behind = spoilt('half', (folder) =>
    copyFileSync(at('first-checkpoint'), join(folder, 'checkpoint.safetensors')),
  );
  await endsAsTheWhole(behind, [
    /checkpoint\.safetensors is older than what was recorded: it knows 1 task of 2/,
    /progress\.safetensors is of task 3, and no use/,
    /lines of metrics\.jsonl are beyond the saved state/,
  ]);
});

test('a state that is damaged or gone is refused, and says which', async () => {
  const checkpoint = (spoil: (file: string) => void, from = 'half') =>
    spoilt(from, (folder) => spoil(join(folder, 'checkpoint.safetensors')));
  await refused(
    checkpoint(halve),
    /checkpoint\.safetensors: the state after task 2 cannot be used: .*cut off.*Put back a copy/,
  );
  await refused(checkpoint(flipBit), /the state after task 2 cannot be used: .*the checksum differs/);
  await refused(checkpoint(rmSync), /checkpoint\.safetensors: it is missing, though 2 tasks were learnt here/);
  await refused(checkpoint(rmSync, 'whole'), /it is missing, though 3 tasks were learnt here/);
  const bare = checkpoint((file) => {
    rmSync(file);
    for (const name of ['run.json', 'metrics.jsonl']) rmSync(file.replace('checkpoint.safetensors', name));
  });
  await refused(bare, /it is missing, though 2 tasks were learnt here/);
  const nothing = spoilt('early', (folder) => {
    rmSync(join(folder, 'progress.safetensors'));
    halve(join(folder, 'config.json'));
  });
  await refused(nothing, /config\.json: this is not JSON/);
});

test('other images, and other settings, are refused', async () => {
  const { train } = fashion;
  const [label] = config.classOrder as number[];
  const pixel = train.labels.indexOf(label as number) * train.height * train.width * train.channels + 90;
  const split = {
    ...fashion,
    train: { ...train, images: train.images.map((value, i) => (i === pixel ? value ^ 1 : value)) },
  };
  await refused('half', /the training images are not those the run began with/, { split });
  const edited = spoilt('half', (folder) => {
    const file = join(folder, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"epochs": 3', '"epochs": 4'));
  });
  await refused(edited, /made with "epochs" = 3, but this run has 4/);
});

test('a run that was begun on another adapter says so, now and in its record', async () => {
  const name = spoilt('half', (folder) => {
    for (const file of ['checkpoint.safetensors', 'progress.safetensors'].map((one) => join(folder, one))) {
      const { tensors, metadata } = readSafetensors(readFileSync(file));
      const state = { ...benchmarkOf(file), adapters: ['Some GPU'] };
      writeFileSync(file, writeSafetensors(tensors, { ...metadata, benchmark: JSON.stringify(state) }));
    }
  });
  assert.match((await run(name)).join('\n'), /^This run was begun on Some GPU: on another adapter results may differ/);
  const { adapter } = JSON.parse(readFileSync(at(name, 'run.json'), 'utf8'));
  assert.is(adapter, `Some GPU, then ${engine.adapterDescription}`);
  assert.equal(runOutcome(at(name)).tensors, expected.tensors);
});

test('killed before anything was saved, a run begins anew; killed before it said what it is, its folder is free', async () => {
  const early = spoilt('early', (folder) => rmSync(join(folder, 'progress.safetensors')));
  await endsAsTheWhole(early, [/^2 epochs were not saved/]);
  mkdirSync(at('bare', 'lock-1'), { recursive: true });
  writeFileSync(at('bare', 'config.json.77-0.tmp'), '{"me');
  mkdirSync(at('bare', 'lock.8a1d2c0e-0000-4000-8000-000000000000.tmp'));
  await refused('bare', /no run to resume here \(no config\.json\)/);
  await run('bare', { resume: false });
  assert.equal(readdirSync(at('bare')).sort(), expected.names);
});

test('what killed writes left is taken away, and nothing else', async () => {
  const name = spoilt('half', (folder) => {
    for (const file of ['progress.safetensors.4242-17.tmp', 'run.json.1-2.tmp', 'notes.txt', 'mine.json.1-2.tmp'])
      writeFileSync(join(folder, file), 'x');
  });
  await run(name);
  assert.equal(readdirSync(at(name)).sort(), [...expected.names, 'mine.json.1-2.tmp', 'notes.txt'].sort());
});

test('one process at a time, and none waits for one that is gone', async () => {
  const name = spoilt('half', () => {});
  const first = await RunFolder.open(at(name));
  const locks = () => readdirSync(at(name)).filter((entry) => entry.startsWith('lock'));
  assert.equal(locks(), ['lock-1']);
  await refused(name, new RegExp(`${name}: a run is under way in this folder \\(process ${process.pid}, since 20`));
  await refused(name, /a run is under way/, { resume: false });
  const holder = JSON.parse(readFileSync(at(name, 'lock-1', 'holder.json'), 'utf8'));
  await first.close();
  assert.equal(locks(), []);

  const held = (changes: object, age = 0) => {
    const file = at(name, 'lock-3', 'holder.json');
    mkdirSync(at(name, 'lock-3'), { recursive: true });
    writeFileSync(file, JSON.stringify({ ...holder, ...changes }));
    const then = new Date(Date.now() - 1000 * age);
    utimesSync(file, then, then);
  };
  const taken = async () => {
    const folder = await RunFolder.open(at(name));
    assert.equal(locks(), ['lock-4']);
    await folder.close();
  };
  const gone = spawnSync(process.execPath, ['--version']).pid;
  held({ pid: gone });
  await taken();
  // It was killed while it made one.
  held({ pid: gone });
  mkdirSync(at(name, 'lock.8a1d2c0e-0000-4000-8000-000000000000.tmp'));
  await taken();
  // Another process has its number now: this one.
  if (holder.born !== '') {
    held({ born: '1' });
    await taken();
  }
  held({ born: '' }, 120);
  await taken();
  held({ pid: gone, place: 'elsewhere', host: 'elsewhere' });
  await refused(name, /under way in this folder \(process \d+ on elsewhere, .*a minute after its end/);
  held({ pid: gone, place: 'elsewhere', host: 'elsewhere' }, 120);
  await taken();
});

test('a folder that is removed, or replaced, while its run learns ends the run', async () => {
  const removed = await refusal(
    run('removed', {
      resume: false,
      watch: ({ task, type }) => {
        if (task === 1 && type === 'epoch') rmSync(at('removed'), { recursive: true });
      },
    }),
  );
  assert.match(
    removed.message,
    /removed: this folder was removed while its run was learning\. Nothing is left of the run/,
  );
  assert.not.ok(existsSync(at('removed')));

  const replaced = await refusal(
    run('replaced', {
      resume: false,
      watch: ({ task, type }) => {
        if (task !== 1 || type !== 'epoch' || existsSync(at('moved'))) return;
        renameSync(at('replaced'), at('moved'));
        cpSync(at('early'), at('replaced'), { recursive: true });
      },
    }),
  );
  assert.match(replaced.message, /replaced: what was in this folder was removed or replaced/);
  assert.equal(snapshot(at('replaced')), snapshot(at('early')), 'nothing of the other run is touched');
  // Its lock went along, and this process is not gone.
  rmSync(at('moved', 'lock-1'), { recursive: true });
  await endsAsTheWhole('moved', [/epochs? (was|were) not saved/]);
});

const mounts = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
given(mounts, 'file systems of its own')(
  'on a full disk it is said what is saved, and that is what is saved',
  async () => {
    const size = (name: string) => Math.ceil(statSync(at('half', name)).size / 4096) * 4096;
    const [state, within] = [size('checkpoint.safetensors'), size('progress.safetensors')];
    // Room for all but a second state within a task beside the first, once there is one after a task. Images are larger than here.
    const others = ['config.json', 'metrics.jsonl', 'run.json'].reduce((sum, name) => sum + size(name), 8192);
    mkdirSync(at('disk'));
    const script = `mount -t tmpfs -o size=${others + state + 1.5 * within} none "$0" && { "$@"; code=$?; cp -r "$0/run" "$0-kept"; exit $code; }`;
    const flags = Object.entries(config).flatMap(([key, value]) =>
      typeof value === 'boolean' || value === undefined || (Array.isArray(value) && value.length === 0)
        ? []
        : [flagOf(key), `${value}`],
    );
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        script,
        at('disk'),
        process.execPath,
        'dist/cli.js',
        'train',
        ...flags,
        '--out',
        at('disk', 'run'),
      ],
      { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
    );
    assert.is(status, 2, stderr);
    assert.match(stderr, /cannot (write|append to) this file: the disk is full\. Make room there\./);
    const [, tasks, epochs] =
      /Stopped\. The first (?:(\d) of 3 tasks are|task is) saved, and (\d) epochs? of task \d\. To go on/.exec(
        stdout,
      ) ?? [];
    const { matrix, lines } = benchmarkOf(at('disk-kept', 'progress.safetensors'));
    assert.is(matrix.length, Number(tasks ?? 1), stdout);
    assert.is(lines.filter(({ type, task }) => type === 'epoch' && task === matrix.length).length, Number(epochs));
  },
);

test.run();
