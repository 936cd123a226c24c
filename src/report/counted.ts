/** So many of a thing, in words: `1 run`, `2 runs`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
