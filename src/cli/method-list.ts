/** The methods as the help and `engram methods` list them. */
import picocolors from 'picocolors';
import type { AnyMethod } from '../continual/method.ts';
import { list } from './list.ts';

/** Stands before the names of methods whose results were compared with others'. */
const VERIFIED = '✓';

export const verifiedNote = (columns: number): string =>
  list(
    [
      {
        name: VERIFIED,
        texts: ["its accuracies were compared with another implementation's; `engram methods` says how near"],
      },
    ],
    columns,
  );

const marked = ({ name, verified }: AnyMethod): string => `${verified === undefined ? ' ' : VERIFIED} ${name}`;

/** Mark, name and summary of each. */
export const methodList = (methods: readonly AnyMethod[], columns: number): string =>
  list(
    methods.map((method) => ({ name: marked(method), texts: [method.summary] })),
    columns,
  );

/** Of each where it is from, and what it was compared with, too. */
export const methodTable = (methods: readonly AnyMethod[], columns: number): string =>
  list(
    methods.map((method) => {
      const { summary, source, verified } = method;
      const mark = verified === undefined ? 'not verified yet' : `verified: ${verified}`;
      return { name: marked(method), texts: source === undefined ? [summary, mark] : [summary, source, mark] };
    }),
    columns,
    (line, text) => (text === 0 ? line : picocolors.dim(line)),
  );

/** What scripts read of one. */
export const methodLine = ({ name, summary, source, keeps, verified, settings }: AnyMethod): string =>
  JSON.stringify({
    name,
    summary,
    source: source ?? null,
    keeps,
    verified: verified ?? null,
    settings: Object.keys(settings),
  });
