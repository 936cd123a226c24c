/**
 * Text from files, flags and devices as it may be printed: a terminal obeys control characters, whoever wrote them, and a
 * line break makes one message look like two.
 */

/** Controls (C0, DEL, C1), line separators, what turns the direction of text about, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line, unprintable characters as JSON escapes them: `\n`, `\u001b`. */
export const printable = (text: string): string =>
  text.replace(
    UNPRINTABLE,
    (character) => NAMED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The text, or its beginning and `…` where it is longer than `most` characters. */
export const clipped = (text: string, most = 80): string => (text.length <= most ? text : `${text.slice(0, most)}…`);
