/** The reference cases of `test/golden*`: files of the site, which are fetched when they are asked for. */
/// <reference types="vite/types/importMeta.d.ts" />
import type { Engine } from 'engram';
import { checkCase, goThatWay, isMet, type Way, waysToRun, worstOf } from '../../../bench/conformance/golden-check.ts';
import type { Verdict } from './protocol.ts';

const files = import.meta.glob<string>(
  ['../../../test/golden/*.safetensors', '../../../test/golden-methods/*.safetensors'],
  { query: '?url', import: 'default', eager: true },
);

const nameOf = (path: string): string => path.replace(/^.*\/|\.safetensors$/g, '');

/** Addresses by name. */
export const REFERENCES: ReadonlyMap<string, string> = new Map(
  Object.entries(files).map(([path, address]) => [nameOf(path), address]),
);

async function fetched(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(REFERENCES.get(name) as string);
  if (!response.ok) throw new Error(`${name} could not be fetched: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function verdictOf(name: string, bytes: Uint8Array, way: Way): Promise<Verdict> {
  const { operation, comparisons, fault, kernels } = await checkCase(way.engine, bytes, name);
  const off = comparisons.filter((comparison) => !isMet(comparison));
  const passed = fault === null && off.length === 0;
  const worst = comparisons.length > 0 ? worstOf(comparisons) : null;
  const compared = comparisons.length;
  return { type: 'verdict', name, operation, way: way.name, passed, compared, worst, off, fault, kernels };
}

/** Kernels that have variants to prefer. */
const hasVariants = (kernels: readonly string[]): boolean => kernels.some((kernel) => /^(matmul|conv2d)_/.test(kernel));

/** What comes next, of how many as far as is known. */
type Before = (name: string, done: number, total: number) => void;

/**
 * Checks cases by the adapter's own rules, then by every variant of the kernels and by the rules for adapters of the other kind. A
 * case that launches no kernel with variants is not checked by these: it would be the same again.
 */
export async function* checkAll(engine: Engine, names: readonly string[], before: Before): AsyncGenerator<Verdict> {
  const ways = waysToRun(engine);
  const bytes = new Map<string, Uint8Array>();
  const varied = new Set<string>();
  let done = 0;
  let total = names.length;
  try {
    for (const way of ways) {
      goThatWay(way);
      const own = way.variant === undefined ? names : names.filter((name) => varied.has(name));
      for (const name of own) {
        before(`${name} by ${way.name}`, done++, total);
        if (!bytes.has(name)) bytes.set(name, await fetched(name));
        const verdict = await verdictOf(name, bytes.get(name) as Uint8Array, way);
        if (way === ways[0] && hasVariants(verdict.kernels)) varied.add(name);
        yield verdict;
      }
      if (way === ways[0]) {
        const byVariant = ways.filter(({ variant }) => variant !== undefined).length;
        total = names.length * (ways.length - byVariant) + varied.size * byVariant;
      }
    }
  } finally {
    // Engines go on by their own rules.
    for (const { engine: own } of ways) goThatWay({ name: 'rules', engine: own });
  }
}
