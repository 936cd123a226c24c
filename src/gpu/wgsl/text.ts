/** WGSL as text: what has to be known of comments, blocks and the head of a file to read it without a parser. */

/** Index behind the comment that begins at `begin`; block comments nest. */
export function endOfComment(text: string, begin: number): number {
  if (text[begin + 1] === '/') {
    const end = text.indexOf('\n', begin);
    return end < 0 ? text.length : end;
  }
  const marks = /\/\*|\*\//g;
  marks.lastIndex = begin;
  for (let depth = 0; ; ) {
    const mark = marks.exec(text);
    if (!mark) return text.length;
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
}

/** The text with a space in the place of each comment: `//` to the end of its line, `/*` to its own end. */
export function withoutComments(text: string): string {
  const begins = /\/[/*]/g;
  let kept = '';
  let from = 0;
  for (let comment = begins.exec(text); comment; comment = begins.exec(text)) {
    kept += `${text.slice(from, comment.index)} `;
    from = endOfComment(text, comment.index);
    begins.lastIndex = from;
  }
  return kept + text.slice(from);
}

/** Index behind the brace that closes the one before `begin`; the text has no comments with braces of their own. */
export function endOfBlock(text: string, begin: number): number {
  let end = begin;
  for (let depth = 1; depth > 0 && end < text.length; end++) {
    if (text[end] === '{') depth++;
    else if (text[end] === '}') depth--;
  }
  return end;
}

const HEAD_PART = /\s+|(?:enable|requires|diagnostic)\b[^;]*;/y;

/** Index of a file's first declaration, behind the comments and directives (`enable`, `requires`, `diagnostic`) at its head. */
export function endOfHead(text: string): number {
  for (let end = 0; ; ) {
    HEAD_PART.lastIndex = end;
    if (HEAD_PART.test(text)) end = HEAD_PART.lastIndex;
    else if (text.startsWith('//', end) || text.startsWith('/*', end)) end = endOfComment(text, end);
    else return end;
  }
}

const FUNCTION = /\bfn\s+(\w+)\s*\(/g;
const WORD = /[A-Za-z_]\w*/g;

/** Every word in the functions that an entry point reaches. @param text without comments. */
export function wordsReached(text: string, entry: string): Set<string> {
  const functions = new Map<string, string>();
  for (const match of text.matchAll(FUNCTION)) {
    const body = text.indexOf('{', match.index);
    if (body >= 0) functions.set(match[1] as string, text.slice(match.index, endOfBlock(text, body + 1)));
  }
  const words = new Set<string>();
  const waiting = [entry];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const body = functions.get(name);
    if (body === undefined) continue;
    // Once is enough, also for a function that somebody calls by its own name.
    functions.delete(name);
    for (const [word] of body.matchAll(WORD)) {
      words.add(word);
      waiting.push(word);
    }
  }
  return words;
}

/**
 * Tokens by the declarations at module scope that they make up, each up to its `;` or closing brace; whatever follows the
 * last one comes last.
 */
export function splitDeclarations<T>(tokens: readonly T[], textOf: (token: T) => string): T[][] {
  const found: T[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    const text = textOf(token);
    if (text === '{') depth++;
    else if (text === '}') depth--;
    found.at(-1)?.push(token);
    if (depth === 0 && (text === ';' || text === '}')) found.push([]);
  }
  return found;
}
