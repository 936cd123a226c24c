/** What a module's fields hold: values, and values in arrays, maps and plain objects, however deep. */

/** A container's contents by PyTorch's names: positions of a list, keys of a dictionary. `null` for what is not a container. */
function contentsOf(value: unknown): Iterable<[string | number, unknown]> | null {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Map) {
    return [...value].filter((entry): entry is [string | number, unknown] => /string|number/.test(typeof entry[0]));
  }
  if (typeof value !== 'object' || value === null) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.entries(value) : null;
}

/**
 * What is wanted of a field: under the field's own name, or as `blocks.0`, `heads.left`, `grid.1.2` in containers, as in
 * PyTorch's ModuleList and ModuleDict. A container is entered once, however many hold it.
 */
export function* heldIn<T>(
  name: string,
  value: unknown,
  isWanted: (value: unknown) => value is T,
  seen = new Set<unknown>(),
): Generator<[string, T]> {
  if (isWanted(value)) {
    yield [name, value];
    return;
  }
  const contents = seen.has(value) ? null : contentsOf(value);
  if (!contents) return;
  seen.add(value);
  for (const [key, inner] of contents) {
    if (typeof inner === 'object' && inner !== null) yield* heldIn(`${name}.${key}`, inner, isWanted, seen);
  }
}
