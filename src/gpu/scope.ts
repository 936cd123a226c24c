/** Memory by scope: what is made inside is freed at the end unless it is returned or kept. */
import { refuseAsync } from './synchronous.ts';

/** Something that a scope frees at its end. */
export interface Scoped {
  /** Frees it now. */
  dispose(): void;
  /** Hands it to another scope, or to nobody: then it lives until it is disposed of. */
  moveTo(scope: Set<Scoped> | null): this;
}

/** What of a scope is inside a returned value: arrays, maps and plain objects are searched. */
function within(
  value: unknown,
  scope: ReadonlySet<unknown>,
  found: Set<Scoped>,
  seen = new Set<unknown>(),
): Set<Scoped> {
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return found;
  seen.add(value);
  const isPlain = Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value);
  if (scope.has(value)) found.add(value as Scoped);
  else if (value instanceof Map) for (const inner of value.values()) within(inner, scope, found, seen);
  else if (isPlain) for (const inner of Object.values(value)) within(inner, scope, found, seen);
  return found;
}

/**
 * Runs `fn` in a scope of its own. @param open the open scopes, innermost last.
 * @throws {ArgumentError} when `fn` is asynchronous.
 */
export function runInScope<T>(open: Set<Scoped>[], fn: () => T): T {
  const scope = new Set<Scoped>();
  const outer = open.at(-1) ?? null;
  open.push(scope);
  try {
    const result = fn();
    refuseAsync('scope', result);
    for (const inner of within(result, scope, new Set())) inner.moveTo(outer);
    return result;
  } finally {
    open.pop();
    for (const inner of scope) inner.dispose();
  }
}
