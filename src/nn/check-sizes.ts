/** The sizes that a layer is made with. */
import { ArgumentError } from '../errors.ts';

/** @throws {ArgumentError} unless all are whole numbers of at least 1. */
export function checkSizes(where: string, sizes: Record<string, number>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ArgumentError({ where, message: `${name} must be a whole number of at least 1, not ${value}.` });
    }
  }
}
