/** What a setting is called where it is given: in programs by its name, on command lines as a flag. Errors and notices say both. */

/**
 * `trainPerClass` is `--train-per-class` on a command line.
 * @param sense `false` for the flag that switches it off.
 */
export const flagOf = (key: string, sense = true): string =>
  `--${sense ? '' : 'no-'}${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** What a setting can be told to be in a message. */
type SaidValue = number | string | boolean | readonly number[];

const inPrograms = (value: SaidValue): string =>
  typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? `[${value.join(', ')}]` : `${value}`;

/**
 * A setting for messages that readers of programs and of command lines alike can follow: `` `lr` (--lr) ``, and with a value
 * `` `memory: 2` (--memory 2) ``.
 * @param key in camel case.
 * @param value what it is to be.
 */
export function named(key: string, value?: SaidValue): string {
  if (value === undefined) return `\`${key}\` (${flagOf(key)})`;
  const flag = typeof value === 'boolean' ? flagOf(key, value) : `${flagOf(key)} ${value}`;
  return `\`${key}: ${inPrograms(value)}\` (${flag})`;
}
