/** The built-in methods by name. A method of one's own is an object of the same shape, handed to the learner. */
import type { AnyMethod } from '../method.ts';
import * as all from './all.ts';

/**
 * A built-in method by name.
 * @useDeclaredType
 */
export type MethodName = keyof typeof all;

/** When it was published; 0 for what is everybody's. */
const yearOf = ({ source = '' }: AnyMethod): number => Number(/\b20\d\d\b/.exec(source)?.[0] ?? 0);

const entries = (Object.entries(all) as [MethodName, AnyMethod][]).sort(([, a], [, b]) => yearOf(a) - yearOf(b));

/** What is everybody's, then in the order of their publication. */
export const METHOD_NAMES: readonly MethodName[] = entries.map(([name]) => name);

/** The built-in methods by name, ordered as {@link METHOD_NAMES}. */
export const methods = Object.fromEntries(entries) as Readonly<Record<MethodName, AnyMethod>>;
