/** Texts of which a part is made from records. */

/** The text with what stands between two marks replaced; as it is where it has not both of them. */
export function betweenMarks(text: string, [begin, end]: readonly [string, string], made: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return text;
  return `${text.slice(0, from + begin.length)}\n\n${made}\n\n${text.slice(to)}`;
}

/** Between which a part of this name stands. @param command what makes it. */
export const marksOf = (name: string, command = 'npm run -s evidence') =>
  [`<!-- ${name}: made by \`${command}\` -->`, `<!-- ${name}: end -->`] as const;
