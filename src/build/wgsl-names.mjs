/**
 * Short names for what WGSL files declare. A name that a file declares at module scope becomes the same short one in all
 * files, and no other name does: they import each other, and other files are to be linked with them. Of names inside
 * functions, those that no function has together may share a short one.
 *
 * These stay:
 * - members, which TypeScript lays out and which may be swizzles; entry points and bindings, which it knows by name
 * - what a file uses and neither declares nor imports: all that is WGSL's own, what TypeScript injects, what only the
 *   importing files declare
 * - `slot_…`, which src/build/slot-kernel.ts repeats
 * - what a file declares that says `// Names stay`, because text written by TypeScript mentions it
 */
import { declarationsOf } from './wgsl-declarations.mjs';

const STAY = /^\/\/ Names stay\b/m;
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** @param {readonly string[]} seconds */
const pairs = (seconds) => seconds.flatMap((second) => LETTERS.map((first) => first + second));
/** No keyword, swizzle or type looks like these; and no local one is a module's, for `wordsReached` goes by words alone. */
const MODULE_NAMES = pairs([...'0123456789']);
const LOCAL_NAMES = [...LETTERS, ...pairs(LETTERS.slice(26))];

/** @typedef {{ text: string, imports: readonly string[] }} Source Its text may have line comments, and names what it imports. */

/** Names by how often they are counted, often ones first. @param {Map<string, number>} counts */
const byCount = (counts) => [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);

/** @param {Map<string, number>} counts @param {string} name */
const count = (counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1);

export class WgslNames {
  /** What names at module scope become; what is missing stays. @type {Map<string, string>} */
  module = new Map();
  /** The same for names inside functions. @type {Map<string, string>} */
  local = new Map();
  /** Of each file, names at module scope of every text that it can be linked to. @type {Map<string, Set<string>>} */
  #around = new Map();

  /** @param {ReadonlyMap<string, Source>} files by name */
  constructor(files) {
    const parsed = new Map([...files].map(([name, { text }]) => [name, declarationsOf(text).declarations]));
    const reached = new Map([...files.keys()].map((name) => [name, closure(name, files)]));
    const declared = (/** @type {Iterable<string>} */ names) =>
      new Set([...names].flatMap((file) => (parsed.get(file) ?? []).map(({ name }) => name)));
    for (const name of files.keys()) {
      const programs = [...reached.values()].filter((program) => program.has(name));
      this.#around.set(name, declared(programs.flatMap((program) => [...program])));
    }

    const stay = new Set();
    const counts = { module: new Map(), local: new Map() };
    /** Names inside each function. @type {Set<string>[]} */
    const together = [];
    for (const [file, declarations] of parsed) {
      const known = declared(reached.get(file) ?? []);
      const isMarked = STAY.test(files.get(file)?.text ?? '');
      for (const { name, isOutward, words, ...own } of declarations) {
        if (isOutward || isMarked || name.startsWith('slot_')) stay.add(name);
        const locals = new Set();
        for (const { name } of words) {
          if (this.#isLocal(file, own.locals, name)) {
            count(counts.local, name);
            locals.add(name);
          } else if (known.has(name)) count(counts.module, name);
          else stay.add(name);
        }
        together.push(locals);
      }
    }

    const free = (/** @type {string[]} */ names) => names.filter((name) => !stay.has(name));
    const modules = free(MODULE_NAMES);
    free(byCount(counts.module)).forEach((name, i) => {
      this.module.set(name, modules[i] ?? name);
    });
    const locals = free(LOCAL_NAMES);
    for (const name of byCount(counts.local)) {
      const taken = new Set(
        together
          .filter((names) => names.has(name))
          .flatMap((names) => [...names].map((other) => this.local.get(other))),
      );
      this.local.set(name, locals.find((short) => !taken.has(short)) ?? name);
    }
  }

  /**
   * A text with the short names. In a file that these names were not made of, only names at module scope become short.
   * @param {string} text without block comments
   * @param {string} file
   */
  shortened(text, file) {
    const { tokens, declarations } = declarationsOf(text);
    for (const { locals, words } of declarations) {
      for (const { at, name } of words) {
        const isKnown = this.#around.has(file);
        if (isKnown ? this.#isLocal(file, locals, name) : locals.has(name)) {
          if (isKnown) tokens[at] = this.local.get(name) ?? name;
        } else tokens[at] = this.module.get(name) ?? name;
      }
    }
    return tokens.join('');
  }

  /**
   * Whether a function's name is its own. One that is also declared at module scope may be either, and counts as that.
   * @param {string} file @param {Set<string>} locals @param {string} name
   */
  #isLocal(file, locals, name) {
    return locals.has(name) && !this.#around.get(file)?.has(name);
  }
}

/** A file and all it imports. @param {string} name @param {ReadonlyMap<string, Source>} files */
function closure(name, files, found = new Set()) {
  if (!found.has(name)) {
    found.add(name);
    for (const next of files.get(name)?.imports ?? []) closure(next, files, found);
  }
  return found;
}
