/** What `JSON.parse` does not report: it keeps the last of two equal keys, and nests as deep as memory allows. */

/**
 * Why a JSON text must not be parsed: an object has the same key twice, or there are more than `deepest` levels of objects and
 * arrays. `undefined` when neither is so; whether the text is JSON at all is left to `JSON.parse`.
 */
export function ambiguity(json: string, deepest: number): string | undefined {
  /** The keys so far of each object around this place; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{' || character === '[') {
      if (open.length === deepest) return `it is nested deeper than ${deepest} levels`;
      open.push(character === '{' ? new Set() : null);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = closingQuote(json, at);
      const keys = open.at(-1);
      if (keys && isKey(json, end + 1)) {
        const key = unescaped(json.slice(at, end + 1));
        if (keys.has(key)) return `it names "${key}" twice`;
        keys.add(key);
      }
      at = end;
    }
  }
  return undefined;
}

/** The place of the quote that ends the string which begins at `start`; the text's end if there is none. */
function closingQuote(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === '"') return at;
    if (json[at] === '\\') at++;
  }
  return json.length;
}

/** Whether a colon comes next: only after a key. */
function isKey(json: string, after: number): boolean {
  let at = after;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++;
  return json[at] === ':';
}

/** Two spellings of a key are the same key. */
function unescaped(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}
