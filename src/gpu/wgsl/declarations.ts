/** The module-scope declarations of a WGSL source that the layout of its parameters hangs on. */
import type { Constants } from './constants.ts';
import { splitDeclarations, withoutComments } from './text.ts';

const TOKEN = /[A-Za-z_]\w*|0[xX][\da-fA-F]+[iu]?|\d+(?:\.\d*)?[fiu]?|\S/g;

/** Where in a list of tokens somebody reads. */
export class Cursor {
  constructor(
    readonly tokens: readonly string[],
    private at = 0,
  ) {}

  /** The next token, empty at the end. */
  get next(): string {
    return this.tokens[this.at] ?? '';
  }

  take(): string {
    return this.tokens[this.at++] ?? '';
  }

  /** Steps over the next token if it is this one. */
  skip(token: string): boolean {
    if (this.next !== token) return false;
    this.at++;
    return true;
  }

  /** @throws {Unreadable} when the next token is another one. */
  expect(token: string): void {
    if (!this.skip(token)) throw new Unreadable(`${token} was expected before "${this.next}"`);
  }
}

/** A declaration that parameters cannot be laid out by; `paramsLayout` says where. */
export class Unreadable extends Error {}

export interface UniformVariable {
  readonly name: string;
  /** Tokens of its type. */
  readonly type: readonly string[];
}

const tokensOf = (text: string): string[] => text.match(TOKEN) ?? [];

/** Names of aliases, structs, constants and uniform variables with the tokens behind them. */
export class Declarations {
  readonly uniforms: UniformVariable[] = [];
  /** `alias A = these;` */
  readonly aliases = new Map<string, readonly string[]>();
  /** `struct S { these }` */
  readonly structs = new Map<string, readonly string[]>();
  private readonly constants = new Map<string, readonly string[]>();
  private readonly values = new Map<string, number>();

  /** @param constants What is injected ahead of the source. */
  constructor(source: string, constants: Constants) {
    for (const [name, value] of Object.entries(constants)) {
      if (typeof value === 'string') this.aliases.set(name, tokensOf(value));
      else if (typeof value === 'number') this.values.set(name, value);
    }
    const tokens = tokensOf(withoutComments(source));
    for (const declared of splitDeclarations(tokens, (token) => token)) this.declare(declared.slice(0, -1));
  }

  /** The whole number that an expression of constants comes to. @throws {Unreadable} when it is none. */
  number(cursor: Cursor): number {
    let left = this.sum(cursor);
    while (cursor.skip('<')) {
      cursor.expect('<');
      left = left << this.sum(cursor);
    }
    return left;
  }

  /** @param tokens without the last one, `;` or `}`. */
  private declare(tokens: readonly string[]): void {
    const attributed = tokens.findIndex((token) => /^(?:alias|struct|const|var|fn|override)$/.test(token));
    const [kind, name = '', ...rest] = tokens.slice(Math.max(0, attributed));
    if (kind === 'alias') this.aliases.set(name, rest.slice(1));
    else if (kind === 'struct') this.structs.set(name, rest.slice(1));
    else if (kind === 'const') this.constants.set(name, rest.slice(rest.indexOf('=') + 1));
    else if (kind === 'var' && rest.slice(0, 2).join('') === 'uniform>') {
      this.uniforms.push({ name: rest[2] ?? '', type: rest.slice(4) });
    }
  }

  private sum(cursor: Cursor): number {
    let left = this.product(cursor);
    for (;;) {
      if (cursor.skip('+')) left += this.product(cursor);
      else if (cursor.skip('-')) left -= this.product(cursor);
      else return left;
    }
  }

  private product(cursor: Cursor): number {
    let left = this.factor(cursor);
    for (;;) {
      if (cursor.skip('*')) left *= this.factor(cursor);
      else if (cursor.skip('/')) left = Math.trunc(left / this.factor(cursor));
      else if (cursor.skip('%')) left %= this.factor(cursor);
      else return left;
    }
  }

  private factor(cursor: Cursor): number {
    if (cursor.skip('-')) return -this.factor(cursor);
    if (cursor.skip('(')) return this.list(cursor)[0] as number;
    const token = cursor.take();
    if (/^\d/.test(token)) {
      const value = Number(token.replace(/[iu]$/, ''));
      if (Number.isInteger(value)) return value;
    } else if (cursor.skip('(')) {
      const values = this.list(cursor);
      if (token === 'min') return Math.min(...values);
      if (token === 'max') return Math.max(...values);
      if (token === 'u32' || token === 'i32') return values[0] as number;
    } else if (token !== '') return this.constant(token);
    throw new Unreadable(`"${token}" is not known here as a whole number`);
  }

  /** Numbers up to the closing bracket. */
  private list(cursor: Cursor): number[] {
    const values = [this.number(cursor)];
    while (cursor.skip(',') && cursor.next !== ')') values.push(this.number(cursor));
    cursor.expect(')');
    return values;
  }

  private constant(name: string): number {
    let value = this.values.get(name);
    if (value === undefined) {
      const tokens = this.constants.get(name);
      if (!tokens) throw new Unreadable(`${name} is not a constant with a whole number, injected or in the source`);
      // A constant that needs itself finds none.
      this.constants.delete(name);
      value = this.number(new Cursor(tokens));
      this.values.set(name, value);
    }
    return value;
  }
}
