/** `engram analyse` as people have it: from runs' folders to a table, lines of JSON and a page, and what it says where it cannot. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ANALYSES, type AnalysisRecord, parseAnalysis } from '../src/analysis/run/analysis-record.ts';
import { parseRunRecord, summaryOf } from '../src/continual/benchmark/run-record.ts';
import { engram, refusedIn } from './support/command.ts';
import { mean } from './support/rows.ts';
import { resultLine, writeSweepFolder } from './support/small-sweep.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-analyse-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const text = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');

const tiny =
  '--data glyphs --method replay --tasks 3 --train-per-class 8 --test-per-class 4 --epochs 2 --memory 12 --batch 8 --width 2'.split(
    ' ',
  );
async function train(name: string, ...more: string[]): Promise<void> {
  const { code, errors } = await engram('train', ...tiny, ...more, '--out', at(name));
  assert.is(code, 0, errors);
}
/** What `analyse --json` prints. */
async function analysed(...args: string[]): Promise<AnalysisRecord[]> {
  const { code, out, errors } = await engram('analyse', ...args, '--json');
  assert.is(code, 0, errors);
  return out
    .trim()
    .split('\n')
    .map((line) => parseAnalysis(line, 'a line'));
}
await train('one', '--class-order', '0,1,2,3,4,5', '--keep-stages');
await train('two', '--class-order', '5,3,1,4,2,0', '--keep-stages');
await train('bare', '--class-order', '0,1,2');

test('runs of one configuration are measured, written down and compared', async () => {
  const records = await analysed(at('one'), at('two'), '--images', '16');
  assert.equal(
    records.map(({ name, tasks }) => [name, tasks]),
    [
      ['one', 3],
      ['two', 3],
    ],
  );
  for (const { name, parts } of records) {
    assert.equal(Object.keys(parts).sort(), [...ANALYSES].sort());
    assert.equal(parseAnalysis(text(name, 'analysis.json'), name).parts, parts);
    const { hessian, sharpness, classifier, drift, stability, landscape } = parts;
    assert.ok(hessian!.result.exact && hessian!.result.eigenvalues[0]! > hessian!.result.eigenvalues[2]!);
    assert.ok(Math.abs(hessian!.result.trace) > 0);
    // Two ways to the loss of the model: by itself, and in the middle of its landscape.
    const { losses } = landscape!.result;
    assert.ok(Math.abs(losses[8]![8]! / sharpness!.result.loss - 1) < 1e-4, `${losses[8]![8]}`);
    // What the run itself counted in its tests.
    const { counted } = summaryOf(parseRunRecord(text(name, 'run.json'), name));
    const { calibration, blocks } = classifier!.result;
    assert.ok(Math.abs(calibration.all - counted!.calibrationErrors.at(-1)!) < 1e-3);
    for (const [task, error] of counted!.calibrationErrorOf.entries())
      assert.ok(Math.abs(calibration.tasks[task]! - error) < 1e-3, `task ${task + 1}`);
    assert.is(blocks!.length, 3);
    assert.equal(drift!.result.stages, [1, 2, 3]);
    assert.is(drift!.result.layers.at(-1), 'features');
    const features = drift!.result.similarity.at(-1)!;
    for (const [a, row] of features.entries())
      for (const [b, value] of row.entries()) {
        assert.is(value, features[b]![a]);
        if (a === b) assert.is(value, 1);
        else assert.ok(value < 0.9999, `${value}: it was learnt between`);
      }
    assert.equal(stability!.result.stages, [0, 1, 2, 3]);
    assert.equal([stability!.result.blocks.length, stability!.result.blocks[0]!.length], [4, 3]);
    // Tasks have as many test images each.
    for (const [stage, row] of stability!.result.blocks.entries())
      assert.ok(Math.abs(mean(row) - stability!.result.accuracy[stage]!) < 1e-3);
    const [untrained, first] = stability!.result.blocks;
    assert.not.equal(untrained, first, 'extractors differ');
  }
  const { document } = parseHTML(text('analysis.html'));
  assert.match(document.querySelector('table.compare')!.textContent, /replay2 runs/);
  const row = [...document.querySelectorAll('table.compare tr')].find((tr) =>
    /largest eigenvalue/.test(tr.textContent ?? ''),
  );
  const [a, b] = records.map(({ parts }) => parts.hessian!.result.eigenvalues[0]!) as [number, number];
  const shown = row!.querySelector('td')!.textContent!;
  const expected = [(a + b) / 2, Math.abs(a - b) / Math.SQRT2];
  // To three digits.
  for (const [i, part] of shown.split(' ± ').entries())
    assert.ok(Math.abs(Number(part) / expected[i]! - 1) < 0.006, `${shown}, ${expected.join(' ± ')}`);
  assert.ok(document.querySelectorAll('svg').length >= 6);
  assert.equal(document.querySelectorAll('script, link, img').length, 0, 'it stands alone');
});

test("a sweep's folder stands for its finished runs, by the sweep's names", async () => {
  const results = ['one', 'two', 'bare'].map((name, order) => {
    const run = `${order}`.repeat(12);
    cpSync(at(name), at('sweep', 'runs', run), { recursive: true });
    return resultLine(run, 'replay', order, name === 'bare' ? { stopped: 1 } : {});
  });
  writeSweepFolder(at('sweep'), results);
  const records = await analysed(at('sweep'), '--images', '16', '--only', 'classifier');
  assert.equal(
    records.map(({ name }) => name),
    ['replay, order 0', 'replay, order 1'],
  );
  assert.equal(records[1]!.parts.classifier, parseAnalysis(text('two', 'analysis.json'), 'two').parts.classifier);
  assert.match(text('sweep', 'analysis.html'), /replay, order 1/);
});

test('what is known is not measured again, what was asked otherwise or is of another state is', async () => {
  cpSync(at('one'), at('again'), { recursive: true });
  const measured = async (...flags: string[]): Promise<string[]> => {
    const { code, out, errors } = await engram('analyse', at('again'), ...flags);
    assert.is(code, 0, errors);
    assert.match(out, /│ {3}first to last model +│ +[\d.]+ │/);
    return ANALYSES.filter((name) => out.includes(`again: ${name} `));
  };
  assert.equal(await measured('--images', '16'), []);
  assert.ok(existsSync(at('again', 'analysis.html')), 'beside the run itself');
  assert.equal(await measured('--images', '12', '--only', 'drift,classifier'), ['drift']);
  const known = JSON.parse(text('again', 'analysis.json'));
  writeFileSync(at('again', 'analysis.json'), JSON.stringify({ ...known, state: 'another' }));
  assert.equal(await measured('--images', '12', '--only', 'drift'), ['drift']);
  assert.equal(Object.keys(JSON.parse(text('again', 'analysis.json')).parts), ['drift']);
  // Batches that were not drawn at random came to other similarities.
  const unlike = JSON.parse(text('again', 'analysis.json'));
  delete unlike.parts.drift.settings.batches;
  writeFileSync(at('again', 'analysis.json'), JSON.stringify(unlike));
  assert.equal(await measured('--images', '12', '--only', 'drift'), ['drift']);
  writeFileSync(at('again', 'analysis.json'), '{');
  assert.equal(await measured('--images', '12', '--only', 'drift'), ['drift']);
});

test('without earlier models the rest is measured, and it says how they are kept', async () => {
  const { code, out, errors } = await engram(
    'analyse',
    at('bare'),
    '--images',
    '8',
    '--only',
    'classifier,drift,stability',
  );
  assert.is(code, 0, errors);
  assert.match(
    out.replace(/\s+/g, ' '),
    /no drift and stability, as the weights after earlier tasks were not kept\. .*train --keep-stages keeps them/,
  );
  assert.match(out, /calibration error/);
  assert.not.match(out, /first to last model/);
});

test('mistakes are told before any work', async () => {
  const refused = (args: string[], ...patterns: RegExp[]) => refusedIn(home, ['analyse', ...args], ...patterns);
  await refused([at('nowhere')], /nowhere: there is no such folder\. Give the folder of a run/);
  mkdirSync(at('empty'));
  await refused([at('one'), at('empty')], /empty: this is no folder of a run \(no config\.json\)/);
  mkdirSync(at('bodiless'));
  cpSync(at('one', 'config.json'), at('bodiless', 'config.json'));
  await refused([at('bodiless')], /no weights here \(no checkpoint\.safetensors\)\..*train --resume --out/);
  await refused([at('one'), '--only', 'hessian,curves'], /"curves" is no measure; there are hessian, sharpness/);
  await refused([at('one'), '--images', '0'], /--images/);
  await refused([at('one'), '--out', at('empty')], /empty: nothing can be written here: this is a folder/);
});

test('data that lie elsewhere are asked for, and others than those of the run are refused', async () => {
  cpSync(at('bare'), at('moved'), { recursive: true });
  const config = JSON.parse(text('moved', 'config.json'));
  writeFileSync(at('moved', 'config.json'), JSON.stringify({ ...config, data: '/nowhere/glyphs' }));
  const only = ['--only', 'classifier', '--images', '8'];
  await refusedIn(home, ['analyse', at('moved'), ...only], /moved: the data of this run are not there.*--data FOLDER/);
  await refusedIn(home, ['analyse', at('moved'), ...only, '--data', 'fashion-mini'], /the checkpoint was made on/);
  const { code, errors } = await engram('analyse', at('moved'), ...only, '--data', 'glyphs');
  assert.is(code, 0, errors);
});

test('weights of an earlier task that are damaged are named', async () => {
  cpSync(at('one'), at('spoilt'), { recursive: true });
  writeFileSync(at('spoilt', 'stage-2.safetensors'), 'nothing');
  const { code, errors } = await engram('analyse', at('spoilt'), '--images', '12', '--only', 'drift');
  assert.is(code, 2, errors);
  assert.match(errors, /stage-2\.safetensors/);
});

test.run();
