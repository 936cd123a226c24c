/**
 * Kernels for several parameters at once, written out of the text of one for a single parameter, which the build has taken
 * apart; `shaders/optim/slots.wgsl` has the rule.
 */
import type { EntryText, SlotTemplate, WgslFile } from '../gpu/wgsl/file.ts';

const times = (slots: number, text: (slot: number) => string): string =>
  Array.from({ length: slots }, (_, slot) => text(slot)).join('');

/** The declarations for so many slots. */
function textFor({ parts, each }: SlotTemplate, slots: number): string {
  const moved = (text: string, sign: RegExp, by: number): string =>
    text.replace(sign, (_, binding) => String(Number(binding) + by * each));
  const once = (part: string): string => moved(part, /\?(\d+)/g, slots - 1);
  const again = (part: string): string =>
    times(slots, (slot) => moved(part, /#(\d+)/g, slot).replaceAll('$', String(slot)));
  return parts.map((part, i) => (i % 2 === 0 ? once(part) : again(part))).join('');
}

/** An entry point's bindings for so many slots. */
function bindingsFor(bindings: string, { first, each }: SlotTemplate, slots: number): string {
  const all = [...bindings.matchAll(/(\d+)(\D)/g)].map(([, binding, kind = '']) => ({
    binding: Number(binding),
    kind,
  }));
  const text = (from: number, to: number, slot: number): string =>
    all
      .filter(({ binding }) => binding >= from && binding < to)
      .map(({ binding, kind }) => `${binding + slot * each}${kind}`)
      .join('');
  const end = first + each;
  return (
    text(0, first, 0) + times(slots, (slot) => text(first, end, slot)) + text(end, Number.POSITIVE_INFINITY, slots - 1)
  );
}

const made = new WeakMap<WgslFile, Map<number, WgslFile>>();

/**
 * A file for so many slots, of one for a single slot: with the bindings of slot after slot, and entry points of the same
 * names that run all. The same file and number always give the same value.
 */
export function forSlots(file: WgslFile, slots: number): WgslFile {
  const files = made.get(file) ?? new Map<number, WgslFile>();
  made.set(file, files);
  let result = files.get(slots);
  if (!result) {
    const { slots: template, entries, ...rest } = file;
    if (!template) throw new RangeError(`${file.name} has no slots: it must import optim/slots.wgsl.`);
    const grown = Object.entries(entries ?? {}).map(([entry, [bindings, params]]): [string, EntryText] => [
      entry,
      [bindingsFor(bindings, template, slots), ...(params === undefined ? [] : [params])] as unknown as EntryText,
    ]);
    result = {
      ...rest,
      name: `${file.name} (${slots} slots)`,
      text: textFor(template, slots),
      ...(entries && { entries: Object.fromEntries(grown) }),
    };
    files.set(slots, result);
  }
  return result;
}
