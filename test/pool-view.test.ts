/** The task pool of the page *Watch*, as what is said of it. */
import type { TemplateResult } from 'lit-html';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { poolView } from '../src/web/watch/pool-view.ts';
import { Recording } from '../src/web/watch/recording.ts';

/** A template with all that is in it, as text. */
function textOf(part: unknown): string {
  if (Array.isArray(part)) return part.map(textOf).join('');
  if (typeof part !== 'object' || part === null || !('strings' in part)) return `${String(part)} `;
  const { strings, values } = part as TemplateResult;
  return strings.map((text, at) => text + (at < values.length ? textOf(values[at]) : '')).join('');
}

/** One learner after three tasks of two classes, with a test picture of each class that it is sure of. */
function watched(): Recording {
  const classes = ['a', 'b', 'c', 'd', 'e', 'f'];
  const recording = new Recording({
    type: 'begun',
    adapter: 'none',
    learners: [{ method: 'tkd', pool: 'tasks', temperature: 1 }],
    classes,
    taskSizes: [2, 2, 2],
    pictures: { data: new Uint8Array(6), count: 6, height: 1, width: 1, channels: 1 },
    labels: Uint16Array.from(classes.keys()),
    again: false,
  });
  for (const task of [0, 1, 2]) {
    const known = 2 * (task + 1);
    const probabilities = Float32Array.from({ length: known * known }, (_, at) =>
      Math.floor(at / known) === at % known ? 0.9 : 0.1 / (known - 1),
    );
    const views = { known, probabilities, kept: new Uint8Array(), keptLabels: new Uint16Array() };
    const accuracies = new Array<number>(task + 1).fill(100);
    recording.add({ type: 'stage', learner: 0, task, accuracy: 100, accuracies, views });
  }
  return recording;
}

test('back in time, of a picture that was not known then, it shows one that was', () => {
  const chosen = { learner: 0, picture: 3 };
  assert.match(textOf(poolView(watched(), 2, chosen, () => {})), /The picture: d .*its former self said d, 9\d %/s);
  const before = textOf(poolView(watched(), 1, chosen, () => {}));
  assert.match(before, /The picture: a .*its former self said a, 9\d %/s);
  assert.not.match(before, /undefined|NaN/);
});

test.run();
