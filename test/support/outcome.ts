/** What a file of tests came to, by what it printed. */
import { stripVTControlCharacters } from 'node:util';

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** Why the process counts as failed beyond its tests. */
  fault?: string;
}

export const counts = ({ passed, failed, skipped }: Outcome) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/**
 * Reads uvu's summary, whose total leaves out what was skipped; a process without one, or one that ends badly after
 * passing, has one failure more.
 */
export function judge(output: string, badEnd: string | undefined): Outcome {
  const text = stripVTControlCharacters(output);
  const count = (name: string) => Number(new RegExp(`^ {2}${name}: +(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const [passed, skipped] = [count('Passed'), count('Skipped')];
  const failed = count('Total') - passed;
  if (failed > 0) return { passed, failed, skipped };
  const fault = badEnd ?? (passed + skipped === 0 ? 'ran no test' : undefined);
  return fault ? { passed, failed: 1, skipped, fault } : { passed, failed, skipped };
}
