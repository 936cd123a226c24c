/** The methods as the help lists them. */
import type { AnyMethod } from '../continual/method.ts';
import { wrap } from '../report/wrap.ts';

/** Name and summary of each, broken between words where the terminal is narrow. */
export function methodList(methods: readonly AnyMethod[], columns: number): string {
  const names = Math.max(...methods.map(({ name }) => name.length)) + 2;
  const lines = methods.flatMap(({ name, summary }) =>
    wrap(summary, columns - 2 - names).map((line, i) => `  ${(i === 0 ? name : '').padEnd(names)}${line}`),
  );
  return lines.join('\n');
}
