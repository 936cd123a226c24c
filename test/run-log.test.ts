/** The log of a run: what each epoch and each task came to, and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordOf } from '../src/continual/benchmark/record-of.ts';
import { metricsText } from '../src/continual/benchmark/run-files.ts';
import { logOf, parseMetrics } from '../src/continual/benchmark/run-log.ts';
import { parseRunRecord } from '../src/continual/benchmark/run-record.ts';
import { sumOfTerms, termsOf } from '../src/continual/loss-terms.ts';
import { engine } from './support/engine.ts';
import { finish, makeBenchmark } from './support/run-benchmark.ts';
import { small } from './support/small-run.ts';

const near = (a: number, b: number, within: number) => assert.ok(Math.abs(a - b) <= within, `${a} and ${b}`);

test('cross entropy and distillation are recorded apart, and add up to the loss', async () => {
  const before = Date.now();
  const benchmark = makeBenchmark({ ...small, method: 'fdkd', epochs: 2 });
  const steps = (await finish(benchmark.run())).flatMap((event) => (event.type === 'step' ? [event] : []));
  for (const { loss, terms } of steps)
    near(
      Object.values(terms).reduce((sum, term) => sum + term, 0),
      loss,
      1e-5 * loss,
    );
  const lines = parseMetrics(metricsText(benchmark.lines), 'metrics.jsonl');
  assert.equal(lines, benchmark.lines);
  const { losses, tasks } = logOf(lines);
  assert.equal(
    losses.map(({ terms }) => Object.keys(terms!)),
    [['ce'], ['ce'], ['ce', 'kd'], ['ce', 'kd']],
  );
  for (const { loss, terms, task, epoch, ...epochs } of losses) {
    const { ce = 0, kd = 0 } = terms!;
    near(ce + kd, loss!, 1e-5 * loss!);
    assert.ok(task === 0 ? kd === 0 : kd > 0);
    const own = steps.filter((step) => step.task === task && step.epoch === epoch);
    const images = own.reduce((sum, step) => sum + step.images, 0);
    near(own.reduce((sum, step) => sum + step.terms.ce! * step.images, 0) / images, ce, 1e-6);
    assert.is(epochs.steps, own.length);
  }
  const dates = lines.map(({ date }) => Date.parse(date!));
  assert.equal(
    dates,
    [...dates].sort((a, b) => a - b),
  );
  assert.ok(dates[0]! >= before && dates.at(-1)! <= Date.now());
  assert.equal(
    tasks.map(({ newClasses, exemplars, exemplarBytes }) => [newClasses.length, exemplars, exemplarBytes]),
    [
      [2, 40, 40 * 14 * 14],
      [2, 40, 40 * 14 * 14],
    ],
  );
  assert.ok(tasks.every(({ peakBytes }) => peakBytes! > 40 * 14 * 14));
  const record = recordOf(benchmark, 'mine');
  assert.equal({ losses: record.losses, tasks: record.tasks }, { losses, tasks });
  assert.match(record.version!, /^\d+\.\d+\.\d+/);
  assert.equal(parseRunRecord(JSON.stringify(record), 'run.json'), JSON.parse(JSON.stringify(record)));
  benchmark.dispose();
});

test('DER++ records its three terms apart', async () => {
  const benchmark = makeBenchmark({ ...small, method: 'derpp', epochs: 1 });
  const events = await finish(benchmark.run());
  const terms = events.flatMap((event) => (event.type === 'epoch' ? [Object.keys(event.terms)] : []));
  assert.equal(terms, [['ce'], ['ce', 'logits', 'replay']]);
  benchmark.dispose();
});

test('a sum knows its terms, what is made from it does not, and a single term is the loss itself', () => {
  engine.scope(() => {
    const [ce, kd] = [engine.tensor([1]), engine.tensor([2])];
    const sum = sumOfTerms({ ce, kd });
    assert.equal(Object.keys(termsOf(sum)), ['ce', 'kd']);
    assert.equal(termsOf(sum.mul(2)), {});
    assert.is(sumOfTerms({ ce }), ce);
    assert.throws(() => sumOfTerms({}), /sumOfTerms: the loss has no terms/);
  });
});

test('half a line at its end is left out of a log, and a line that does not fit is named', () => {
  const line = JSON.stringify({ type: 'epoch', task: 0, epoch: 0, loss: 1, lr: 0.1, images: 8, seconds: 2 });
  const [epoch] = parseMetrics(`${line}\n${line.slice(0, 20)}`, 'here');
  assert.equal(logOf([epoch!]), {
    losses: [{ task: 0, epoch: 0, loss: 1, lr: 0.1, seconds: 2, imagesPerSecond: 4 }],
    tasks: [],
  });
  assert.throws(
    () => parseMetrics(`${line}\n{"type":"epoch"}\n`, 'here'),
    /here: line 2 does not fit a run's log: task/,
  );
  assert.throws(() => parseMetrics(`${line}\nnothing\n`, 'here'), /here: line 2 does not fit/);
  assert.equal(parseMetrics('', 'here'), []);
});

test.run();
