/** What runs are called beside each other. */
import { resolve, sep } from 'node:path';

/**
 * Runs of one name are called by as much of the ends of their folders' paths as tells them apart: `lr1/seed0` and `lr2/seed0`.
 * @param names in the order of their folders.
 */
export function namesApart(names: readonly string[], folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder).split(sep));
  const end = (at: number, parts: number) => paths[at]!.slice(-parts).join('/');
  return names.map((name, at) => {
    const alike = names.flatMap((other, i) => (other === name && i !== at ? [i] : []));
    if (alike.length === 0) return name;
    for (let parts = 1; parts <= paths[at]!.length; parts++)
      if (alike.every((other) => end(other, parts) !== end(at, parts))) return end(at, parts);
    // One folder, named twice.
    return name;
  });
}
