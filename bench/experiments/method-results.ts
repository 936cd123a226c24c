/** Results of the comparison: a line a run in a JSON-lines file, added to and never rewritten. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { DataError } from '../../src/errors.ts';

const finite = v.pipe(v.number(), v.finite());

const resultSchema = v.object({
  /** `<protocol>/<method>/<order>`. */
  run: v.string(),
  /** As it was asked for; the data's folder left out. */
  config: v.record(v.string(), v.unknown()),
  /** Percent, forgetting in points (Chaudhry et al. 2018). */
  average: finite,
  last: finite,
  forgetting: finite,
  /** Accuracy over all classes seen, after each task. */
  curve: v.array(finite),
  /** Row t: accuracy on tasks 0 … t after task t. */
  matrix: v.array(v.array(finite)),
  /** As the clock has it. */
  seconds: finite,
  /** Of all threads, the adapter's too where it is a software one; `null` for a run that was interrupted. */
  cpuSeconds: v.nullable(finite),
  adapter: v.string(),
  date: v.string(),
  version: v.string(),
});
export type MethodResult = v.InferOutput<typeof resultSchema>;

/** The results there are; none when there is no such file. @throws {DataError} for a line that is none. */
export async function readMethodResults(file: string): Promise<MethodResult[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line, at) => {
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), resultSchema), line);
      if (parsed.success) return parsed.output;
      throw new DataError({
        where: `${file}, line ${at + 1}`,
        message: `this is not the result of a run: ${parsed.issues[0].message}.`,
        fix: 'Take the line out; its run is then run again.',
      });
    });
}

export async function addMethodResult(file: string, result: MethodResult): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(v.parse(resultSchema, result))}\n`);
}

/** Settings as they are recorded: where the data lies is the machine's own affair. */
export const recorded = ({ data: _, ...config }: Readonly<Record<string, unknown>>): Record<string, unknown> => config;

/** The latest result of a run with these settings. */
export const resultOf = (
  results: readonly MethodResult[],
  { name, config }: { readonly name: string; readonly config: Readonly<Record<string, unknown>> },
): MethodResult | undefined => {
  const wanted = sorted(recorded(config));
  return results.findLast((result) => result.run === name && sorted(result.config) === wanted);
};

const sorted = (config: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
