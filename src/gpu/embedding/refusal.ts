/** Why an app's encoder or buffer is not taken. */
import { ArgumentError } from '../../errors.ts';

export const refusal = (where: string, message: string, fix: string): ArgumentError =>
  new ArgumentError({ where, message, fix });
