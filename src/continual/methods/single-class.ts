/** Tasks of one class, for methods that tell new classes from each other alone. */

/** What is to be known before a run with a later task that brings a single class. @param taskSizes of the whole run. */
export const singleClassNotices = (taskSizes: readonly number[]): readonly string[] =>
  taskSizes.slice(1).includes(1)
    ? [
        'This method tells new classes from each other alone: of a task that brings a single one it learns nothing that tells ' +
          'it from old ones. With two or more new classes a task, or by another method, it is learnt.',
      ]
    : [];
