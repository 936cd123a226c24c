/**
 * Takes the text of a kernel for one parameter apart, for `src/optim/slot-text.ts` to write kernels for several. `shaders/optim/slots.wgsl` has the
 * rule: what is named `slot_…` is there once a slot.
 */
import { closest } from 'fastest-levenshtein';
import { ArgumentError } from '../errors.ts';
import type { SlotTemplate, WgslFile } from '../gpu/wgsl/file.ts';
import { endOfHead } from '../gpu/wgsl/text.ts';
import { type Declaration, declarationsOf, INDEX, inSlot, markersIn, textOf } from './slot-declarations.ts';

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

  template(): SlotTemplate {
    const parts = [this.file.text.slice(0, this.head)];
    const add = (text: string, isSlot: boolean): void => {
      // Parts that are there once stand at even places.
      if ((parts.length % 2 === 0) !== isSlot) parts.push('');
      parts[parts.length - 1] += text;
    };
    for (const declared of this.declarations) {
      const { tokens, isSlot, markers, binding, bindingAt } = declared;
      const sign = isSlot ? '#' : '?';
      const isMoved = isSlot ? binding >= 0 : binding >= this.first;
      const bound = tokens.map((token, i) =>
        i === bindingAt && isMoved ? { ...token, text: `${sign}${binding}` } : token,
      );
      if (isSlot) add(textOf(inSlot('$', bound)), true);
      else if (markers.length > 0) this.statements(declared, add);
      else add(textOf(bound), false);
    }
    return { parts, first: this.first, each: this.each };
  }

  /** A function of all slots, with its statements about one of them apart. */
  private statements({ tokens, name }: Declaration, add: (text: string, isSlot: boolean) => void): void {
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
        add(textOf(part), false);
        return;
      }
      const first = part[0]?.text ?? '';
      if (sign !== ';' || SINGLE.has(first)) {
        throw this.error(
          `${name} has ${marker} in ${sign === ';' ? `a "${first}" statement` : 'the head of a block'}, which cannot be repeated for each slot.`,
          `Move it to a function of a slot, slot_${name} for example, and call that in a statement of its own.`,
        );
      }
      add(textOf(inSlot('$', part)), true);
    });
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

/**
 * A file for one slot with what makes it one for several.
 * @throws {ArgumentError} when a name that begins with `slot_` is not declared in the file, or something cannot be repeated.
 */
export const withSlots = (file: WgslFile): WgslFile => ({ ...file, slots: new SlotText(file).template() });
