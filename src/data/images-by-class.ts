/** A data set as a learner takes it: the images of each class under its name. */
import { ArgumentError, DataError } from '../errors.ts';
import { type AnyDataset, classIndices, className, imagesOfSet, type LotOf, subset } from './dataset.ts';

/**
 * The images of these classes, copied where they are in memory, each class in the set's order, under its name (its number, where classes have no
 * names), in the order asked for.
 * @param labels the classes; by default all that have images.
 * @throws {ArgumentError} for a class that the set does not know.
 * @throws {DataError} when a class asked for has no images, or two have the same name.
 */
export function imagesByClass<D extends AnyDataset>(dataset: D, labels?: readonly number[]): Map<string, LotOf<D>> {
  const indices = classIndices(dataset);
  const chosen = labels ?? [...indices.keys()].filter((label) => indices[label]!.length > 0);
  const labelOf = new Map<string, number>();
  const entries = chosen.map((label): [string, LotOf<D>] => {
    const places = indices[label];
    const name = className(dataset, label);
    if (!places) {
      throw new ArgumentError({
        where: dataset.name,
        message: `there is no class ${label}: the set has ${dataset.classes}.`,
        fix: `Use numbers from 0 to ${dataset.classes - 1}.`,
      });
    }
    if (places.length === 0) {
      throw new DataError({ where: dataset.name, message: `class ${name} has no images.`, fix: 'Leave it out.' });
    }
    if (labelOf.has(name)) {
      const other = labelOf.get(name);
      throw new DataError({
        where: dataset.name,
        message:
          other === label ? `class ${name} was asked for twice.` : `classes ${other} and ${label} are both ${name}.`,
        fix: other === label ? 'Name each class once.' : 'Give each class a name of its own.',
      });
    }
    labelOf.set(name, label);
    return [name, imagesOfSet(subset(dataset, places))];
  });
  return new Map(entries);
}
