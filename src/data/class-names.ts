/** Names of classes, and the file of them beside sets whose labels are numbers. */
import { DataError } from '../errors.ts';
import { listed } from './class-folders.ts';
import { joinPath } from './files.ts';
import { CLASS_NAMES, type DataSource } from './source.ts';

export interface ClassNames {
  /** In label order, no two alike. */
  readonly names: string[];
  /** What people are to know of them. */
  readonly notes: readonly string[];
}

/**
 * Names of classes where two of one name have their numbers behind it: learners know classes by their names, and would take them for
 * one. ImageNet has "crane" twice, a bird and a machine.
 */
export function distinctNames(names: readonly string[]): ClassNames {
  const [seen, several] = [new Set<string>(), new Set<string>()];
  for (const name of names) (seen.has(name) ? several : seen).add(name);
  const distinct = names.map((name, label) => (several.has(name) ? `${name} (${label})` : name));
  const notes =
    several.size > 0
      ? [
          `classes of one name are told apart by their numbers: ${listed(distinct.filter((_, i) => several.has(names[i]!)))}`,
        ]
      : [];
  return { names: distinct, notes };
}

/**
 * The names in `classes.json`; undefined where there is none.
 * @param most as many as labels can distinguish.
 * @throws {DataError} unless it is an array of names, at least one and at most so many.
 */
export async function readClassNames(source: DataSource, most: number): Promise<ClassNames | undefined> {
  const found = await source.find([CLASS_NAMES]);
  if (found === undefined) return undefined;
  const where = joinPath(source.where, found);
  const bytes = await source.read(found);
  const wrong = (cause?: unknown) =>
    new DataError({
      where,
      message: 'a JSON array of at least one class name, in label order, was expected.',
      fix: 'Write it like ["cat", "dog"], or remove it: classes are then numbered.',
      cause,
    });
  let names: unknown;
  try {
    names = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw wrong(error);
  }
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string')) throw wrong();
  if (names.length > most) {
    throw new DataError({
      where,
      message: `there are ${names.length} class names, but labels here distinguish at most ${most} classes.`,
      fix: 'Name each class once, in label order, or remove the file: classes are then numbered.',
    });
  }
  return distinctNames(names);
}
