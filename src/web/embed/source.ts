/** A source as text with a light colouring: comments, strings and the words of TypeScript and WGSL. */
import { html, type TemplateResult } from 'lit-html';

const WORDS =
  'const let var for await of if else return new function async import export from type class extends override using try finally throw as fn struct true false';
const PARTS = new RegExp(
  String.raw`(?<comment>/\*[^]*?\*/|//.*)|(?<string>'(?:[^'\\\n]|\\.)*')|(?<word>(?<![\w.])(?:${WORDS.replaceAll(' ', '|')})(?!\w))|(?<at>@\w+)`,
  'g',
);

export function coloured(source: string): TemplateResult {
  const parts: (string | TemplateResult)[] = [];
  let end = 0;
  for (const { 0: text, index, groups = {} } of source.matchAll(PARTS)) {
    const [kind] = Object.entries(groups).find(([, found]) => found !== undefined) ?? ['word'];
    parts.push(source.slice(end, index), html`<span class=${kind}>${text}</span>`);
    end = index + text.length;
  }
  return html`${parts}${source.slice(end)}`;
}
