/** The module-scope declarations of a WGSL file, as far as names in it must be told apart. */

const TOKEN =
  /[A-Za-z_]\w*|0[xX][\da-fA-F.]*(?:[pP][-+]?\d+)?[fhiu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[fhiu]?|\/\/.*|\s+|\S/g;
const WORD = /^[A-Za-z_]/;
const DECLARES = /^(?:alias|const|fn|let|override|struct|var)$/;
const DIRECTIVE = /^(?:enable|requires|diagnostic)$/;

/**
 * @typedef {object} Declaration
 * @property {string} name Empty for what has none, such as a directive.
 * @property {boolean} isOutward Whether it is an entry point or a binding, which TypeScript knows by name.
 * @property {Set<string>} locals What is declared inside, parameters too.
 * @property {{ at: number, name: string }[]} words Names in it and their places among the file's tokens: no members, keywords
 * that declare, attributes or address spaces.
 */

/**
 * The tokens of a text without block comments, blanks among them, and its declarations.
 * @param {string} text
 */
export function declarationsOf(text) {
  const tokens = text.match(TOKEN) ?? [];
  const places = tokens.flatMap((token, at) => (/^\s|^\/\//.test(token) ? [] : [at]));
  /** @type {Declaration[]} */
  const declarations = [];
  for (let begin = 0; begin < places.length; ) {
    const end = endOfDeclaration(tokens, places, begin);
    declarations.push(declaration(tokens, places.slice(begin, end)));
    begin = end;
  }
  return { tokens, declarations };
}

/** @param {string[]} tokens @param {number[]} places @param {number} begin */
function endOfDeclaration(tokens, places, begin) {
  for (let i = begin, depth = 0; i < places.length; i++) {
    const token = tokens[/** @type {number} */ (places[i])];
    if (token === '{') depth++;
    else if (token === '}') depth--;
    if (depth === 0 && (token === '}' || token === ';')) return i + 1;
  }
  return places.length;
}

/** @param {string[]} tokens of the file @param {number[]} places of the declaration's tokens @returns {Declaration} */
function declaration(tokens, places) {
  const own = places.map((at) => /** @type {string} */ (tokens[at]));
  /** @type {Declaration} */
  const found = { name: '', isOutward: false, locals: new Set(), words: [] };
  if (DIRECTIVE.test(own[0] ?? '')) return found;
  let kind = '';
  for (let i = 0; i < own.length; i++) {
    const token = own[i] ?? '';
    const before = own[i - 1];
    if (token === '@') {
      const attribute = own[++i];
      if (attribute === 'compute' || attribute === 'binding') found.isOutward = true;
      if (attribute === 'builtin') i += 3;
      continue;
    }
    const isMember = before === '.' || (kind === 'struct' && own[i + 1] === ':');
    if (!WORD.test(token) || isMember) continue;
    if (DECLARES.test(token)) {
      // `var<storage, read>`
      if (token === 'var' && own[i + 1] === '<') i = own.indexOf('>', i);
      const name = own[++i] ?? '';
      if (kind) found.locals.add(name);
      else found.name = name;
      kind ||= token;
    } else if (kind === 'fn' && own[i + 1] === ':' && /^[(,)]$/.test(before ?? '')) found.locals.add(token);
    found.words.push({ at: /** @type {number} */ (places[i]), name: own[i] ?? '' });
  }
  // Nobody calls a variable: in `let round = round(x)` the second one is WGSL's.
  own.forEach((token, i) => {
    if (own[i + 1] === '(' && found.locals.has(token)) found.locals.delete(token);
  });
  return found;
}
