/** The measures that `engram analyse --only` takes. */
import { InvalidArgumentError } from 'commander';
import { ANALYSES, type AnalysisName } from '../analysis/run/analysis-record.ts';

export { ANALYSES };

const isName = (text: string): text is AnalysisName => (ANALYSES as readonly string[]).includes(text);

/** @throws {InvalidArgumentError} naming the first that is none. */
export function analysisNames(text: string): AnalysisName[] {
  const names = text.split(',').map((name) => name.trim());
  const strange = names.find((name) => !isName(name));
  if (strange === undefined) return names.filter(isName);
  throw new InvalidArgumentError(`"${strange}" is no measure; there are ${ANALYSES.join(', ')}.`);
}
