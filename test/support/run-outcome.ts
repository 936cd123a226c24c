/** What runs leave, without what is different each time: two runs of the same settings are compared by it. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readSafetensors } from '../../src/nn/safetensors.ts';

/** JSON without what tells times, and the run's own name. */
const timeless = (text: string, name: string): unknown =>
  JSON.parse(text, (key, value) =>
    ['seconds', 'imagesPerSecond', 'date', 'began', 'peakBytes'].includes(key) || (key === 'name' && value === name)
      ? undefined
      : value,
  );

/** The names in a run's folder, the parameters and exemplars of its state, what is said of them, its metrics and its record. */
export function runOutcome(folder: string) {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  const { tensors, metadata } = readSafetensors(readFileSync(join(folder, 'checkpoint.safetensors')));
  const { benchmark = '', ...others } = metadata;
  const name = basename(folder);
  return {
    names: readdirSync(folder).sort(),
    config: text('config.json'),
    tensors: [...tensors].map(([key, { dtype, shape, data }]) => [
      key,
      dtype,
      shape,
      Buffer.from(data.buffer).toString('base64'),
    ]),
    learner: others,
    benchmark: timeless(benchmark, name),
    metrics: text('metrics.jsonl')
      .split('\n')
      .filter(Boolean)
      .map((line) => timeless(line, name)),
    record: timeless(text('run.json'), name),
  };
}
