/** What a WGSL file declares at module scope, and which of it belongs to a slot; see `shaders/optim/slots.wgsl`. */
import { endOfComment, splitDeclarations } from '../gpu/wgsl/text.ts';

/** The slot's number, declared by `shaders/optim/slots.wgsl`. */
export const INDEX = 'slot_index';
const MARKER = /^slot_./;
const PIECE = /[\p{XIDS}_]\p{XIDC}*|\d\p{XIDC}*|\S/uy;
const SPACE = /\s+/y;
const KINDS: ReadonlySet<string> = new Set(['alias', 'const', 'fn', 'override', 'struct', 'var']);
/** A word, number or sign, with the blanks and comments before it. */
export interface Token {
  readonly before: string;
  readonly text: string;
}

/** A declaration at module scope. */
export interface Declaration {
  readonly tokens: readonly Token[];
  /** Empty for what has no name, such as `const_assert`. */
  readonly name: string;
  readonly isSlot: boolean;
  /** The markers in it; its own name is one of a slot's. */
  readonly markers: readonly string[];
  /** Where among the tokens the number of its binding is, −1 without one. */
  readonly bindingAt: number;
  /** That number; NaN without one. */
  readonly binding: number;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const begin = at;
    for (;;) {
      SPACE.lastIndex = at;
      if (SPACE.test(text)) at = SPACE.lastIndex;
      else if (text.startsWith('//', at) || text.startsWith('/*', at)) at = endOfComment(text, at);
      else break;
    }
    const before = text.slice(begin, at);
    PIECE.lastIndex = at;
    const piece = PIECE.exec(text)?.[0] ?? '';
    tokens.push({ before, text: piece });
    at += piece.length;
  }
  return tokens;
}

export const textOf = (tokens: readonly Token[]): string => tokens.map(({ before, text }) => before + text).join('');

/** The words that stand for a slot's own; a member of that name is not one. */
export const markersIn = (tokens: readonly Token[]): string[] =>
  tokens.flatMap(({ text }, i) => (MARKER.test(text) && tokens[i - 1]?.text !== '.' ? [text] : []));

const nameIn = (slot: string, marker: string): string =>
  marker === INDEX ? `${slot}u` : marker.replace('slot_', `slot${slot}_`);

/** The tokens with the slot's own names. */
export const inSlot = (slot: string, tokens: readonly Token[]): Token[] =>
  tokens.map((token, i) =>
    MARKER.test(token.text) && tokens[i - 1]?.text !== '.' ? { ...token, text: nameIn(slot, token.text) } : token,
  );

function declaration(tokens: readonly Token[]): Declaration {
  const kind = tokens.findIndex(({ text }) => KINDS.has(text));
  let at = kind + 1;
  if (tokens[at]?.text === '<') at = tokens.findIndex(({ text }, i) => i > at && text === '>') + 1;
  const name = kind < 0 ? '' : (tokens[at]?.text ?? '');
  const bindingAt = tokens.findIndex((_, i) => tokens[i - 3]?.text === '@' && tokens[i - 2]?.text === 'binding');
  const binding = bindingAt < 0 ? Number.NaN : Number(tokens[bindingAt]?.text.replace(/[iu]$/, ''));
  return { tokens, name, isSlot: MARKER.test(name), markers: markersIn(tokens), bindingAt, binding };
}

/** Declarations, and as the last one whatever follows them. */
export const declarationsOf = (text: string): Declaration[] =>
  splitDeclarations(tokensOf(text), (token) => token.text).map(declaration);
