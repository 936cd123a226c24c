/** The log of a run, `metrics.jsonl`: a line of JSON for every epoch and every finished task, in the order in which they happened. */
import * as v from 'valibot';
import { DataError } from '../../errors.ts';
import { clipped } from '../../gpu/printable.ts';
import { type MetricsLine, metricsLineSchema } from './benchmark-state.ts';
import type { RunRecord } from './run-record.ts';

/** What a run's record has of its log. */
export type LoggedPart = Required<Pick<RunRecord, 'losses' | 'tasks'>>;

/** Epochs and finished tasks as a record has them. */
export function logOf(lines: readonly MetricsLine[]): LoggedPart {
  const losses: LoggedPart['losses'] = [];
  const tasks: LoggedPart['tasks'] = [];
  for (const line of lines) {
    if (line.type === 'epoch') {
      const { type: _, images, phase, ...epoch } = line;
      losses.push({ ...epoch, ...(phase > 0 ? { phase } : {}), imagesPerSecond: images / line.seconds });
    } else {
      const { newClasses, exemplars, exemplarBytes, peakBytes, notes, seconds, date } = line;
      tasks.push({
        newClasses,
        exemplars,
        ...(exemplarBytes === undefined ? {} : { exemplarBytes }),
        ...(peakBytes === undefined ? {} : { peakBytes }),
        notes,
        seconds,
        ...(date === undefined ? {} : { date }),
      });
    }
  }
  return { losses, tasks };
}

/**
 * Reads a log. A last line without its end is one that was being written, and is left out.
 * @param where names the file in errors.
 * @throws {DataError} that names the first line that is none, and what of it does not fit.
 */
export function parseMetrics(text: string, where: string): MetricsLine[] {
  const lines = text.split('\n');
  // What follows the last end of a line is nothing, or half a line.
  lines.pop();
  return lines.map((line, at) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), metricsLineSchema), line);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw new DataError({
      where,
      message: `line ${at + 1} does not fit a run's log: ${v.getDotPath(issue) ?? 'the line'}: ${clipped(issue.message)}.`,
      fix: 'Go on with the run, by Benchmark.resume() or --resume: it is made again from the saved state. Or put back a copy that is whole.',
    });
  });
}
