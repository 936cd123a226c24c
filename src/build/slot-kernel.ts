/**
 * Kernels for several parameters at once, written out of the text of a kernel for one. `shaders/optim/slots.wgsl` has the
 * rule: what is named `slot_…` is there once a slot.
 */
import { closest } from 'fastest-levenshtein';
import { ArgumentError } from '../errors.ts';
import type { WgslFile } from '../gpu/wgsl/link.ts';
import { endOfHead } from '../gpu/wgsl/text.ts';
import { type Declaration, declarationsOf, INDEX, inSlot, markersIn, type Token, textOf } from './slot-declarations.ts';

/** What {@link inSlot} makes of names. */
const MADE = /^slot\d+_/;
/** Statements that make no sense several times over. */
const SINGLE: ReadonlySet<string> = new Set(['break', 'const', 'continue', 'let', 'return', 'var']);

/** One file on its way to a number of slots. */
class SlotText {
  /** Where the file's first declaration begins. */
  private readonly head: number;
  private readonly declarations: readonly Declaration[];
  /** Number of the first binding of a slot, and of bindings a slot. */
  private readonly first: number;
  private readonly each: number;

  constructor(private readonly file: WgslFile) {
    this.head = endOfHead(file.text);
    this.declarations = declarationsOf(file.text.slice(this.head));
    this.checkNames();
    const own = this.declarations.flatMap(({ isSlot, binding }) => (isSlot && binding >= 0 ? [binding] : []));
    this.first = Math.min(...own);
    this.each = new Set(own).size;
    this.checkBindings();
  }

  text(slots: number): string {
    const parts = this.declarations.map((declared) => {
      if (declared.isSlot)
        return this.repeated(slots, (slot) => this.bound(inSlot(slot, declared.tokens), declared, slot));
      if (declared.markers.length > 0) return this.statements(declared, slots);
      return this.bound(declared.tokens, declared, declared.binding >= this.first ? slots - 1 : 0);
    });
    return this.file.text.slice(0, this.head) + parts.join('');
  }

  private repeated(slots: number, text: (slot: number) => string): string {
    return Array.from({ length: slots }, (_, slot) => text(slot)).join('');
  }

  /** A declaration whose binding makes room for those of so many slots. */
  private bound(tokens: readonly Token[], { bindingAt, binding }: Declaration, slots: number): string {
    const moved = (token: Token): Token => ({ ...token, text: String(binding + slots * this.each) });
    return textOf(tokens.map((token, i) => (i === bindingAt ? moved(token) : token)));
  }

  /** A function of all slots, with its statements about one of them repeated. */
  private statements({ tokens, name }: Declaration, slots: number): string {
    let text = '';
    let begin = 0;
    let depth = 0;
    tokens.forEach(({ text: sign }, i) => {
      if (sign === '(') depth++;
      else if (sign === ')') depth--;
      if (depth > 0 || !/^[;{}]$/.test(sign)) return;
      const part = tokens.slice(begin, i + 1);
      begin = i + 1;
      const [marker] = markersIn(part);
      if (marker === undefined) {
        text += textOf(part);
        return;
      }
      const first = part[0]?.text ?? '';
      if (sign !== ';' || SINGLE.has(first)) {
        throw this.error(
          `${name} has ${marker} in ${sign === ';' ? `a "${first}" statement` : 'the head of a block'}, which cannot be repeated for each slot.`,
          `Move it to a function of a slot, slot_${name} for example, and call that in a statement of its own.`,
        );
      }
      text += this.repeated(slots, (slot) => textOf(inSlot(slot, part)));
    });
    return text;
  }

  private checkNames(): void {
    const known = this.declarations.flatMap(({ name, isSlot }) => (isSlot ? [name] : []));
    if (known.includes(INDEX)) throw this.error(`${INDEX} is the slot's number, and declared in optim/slots.wgsl.`);
    for (const { tokens, name, isSlot, markers } of this.declarations) {
      const taken = tokens.find(({ text }) => MADE.test(text));
      if (taken) throw this.error(`${taken.text} is the name of something made for a slot.`, 'Choose another name.');
      const unknown = markers.find((marker) => marker !== INDEX && !known.includes(marker));
      if (unknown) {
        throw this.error(
          `${unknown} is unknown; a slot has ${[...known, INDEX].join(', ')}.`,
          `Did you mean ${closest(unknown, [...known, INDEX])}? Names that begin with slot_ are declared in this file, at module scope.`,
        );
      }
      if (!isSlot && markers.length > 0 && !tokens.some(({ text }) => text === 'fn')) {
        throw this.error(
          `${name || textOf(tokens).trim()} mentions ${markers[0]}, which is there once a slot.`,
          name ? `Call it slot_${name}.` : 'Leave it out.',
        );
      }
    }
  }

  private checkBindings(): void {
    const bound = this.declarations.filter(({ bindingAt }) => bindingAt >= 0);
    const unread = bound.find(({ binding }) => Number.isNaN(binding));
    if (unread) throw this.error(`the binding of ${unread.name} must be a number.`);
    if (this.each === 0) {
      throw this.error('no binding belongs to a slot.', 'Begin the names of those that do with slot_.');
    }
    const end = this.first + this.each;
    const stray = bound.find(({ isSlot, binding }) => isSlot !== (binding >= this.first && binding < end));
    if (!stray) return;
    throw this.error(
      `the bindings of a slot must follow each other, from ${this.first} up to ${end - 1}; ${stray.name} has ${stray.binding}.`,
      'Number what the slots share before or behind them.',
    );
  }

  private error(message: string, fix?: string): ArgumentError {
    return new ArgumentError({ where: this.file.name, message, ...(fix && { fix }) });
  }
}

const made = new WeakMap<WgslFile, Map<number, WgslFile>>();

/**
 * A file for so many slots, of one for a single slot: with the bindings of slot after slot, and entry points of the same
 * names that run all. The same file and number always give the same value.
 * @throws {ArgumentError} when the number is not a whole one of at least 1, a name that begins with `slot_` is not declared in
 * the file, or something cannot be repeated.
 */
export function forSlots(file: WgslFile, slots: number): WgslFile {
  let files = made.get(file);
  if (!files) {
    files = new Map();
    made.set(file, files);
  }
  let result = files.get(slots);
  if (!result) {
    if (!Number.isInteger(slots) || slots < 1) {
      throw new ArgumentError({
        where: file.name,
        message: `the number of slots must be a whole one of at least 1, not ${slots}.`,
      });
    }
    const text = new SlotText(file).text(slots);
    const { name, imports, reflect } = file;
    result = { name: `${name} (${slots} slots)`, text, imports, ...(reflect && { reflect }) };
    files.set(slots, result);
  }
  return result;
}
