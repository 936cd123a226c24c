/** Names of classes in a file beside sets whose labels are numbers. */
import { DataError } from '../errors.ts';
import { joinPath } from './files.ts';
import type { DataSource } from './source.ts';

/**
 * The names in `classes.json`; undefined where there is none.
 * @param most as many as labels can distinguish.
 * @throws {DataError} unless it is an array of names, at least one and at most so many.
 */
export async function readClassNames(source: DataSource, most: number): Promise<string[] | undefined> {
  const found = await source.find(['classes.json']);
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
  return names;
}
