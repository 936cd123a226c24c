/** HTML from templates: what is put into one is escaped, unless it is HTML itself. */
import { printable } from '../gpu/printable.ts';

/** A piece of HTML that is safe to place in a page. */
export class Html {
  constructor(readonly text: string) {}
}

type Content = Html | string | number | readonly Content[];

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function render(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return printable(String(content)).replace(/[&<>"']/g, (character) => escapes[character]!);
}

/** `` html`<p>${text}</p>` ``: strings and numbers are escaped, arrays joined, `Html` kept. */
export const html = (parts: TemplateStringsArray, ...contents: Content[]): Html =>
  new Html(parts.reduce((text, part, index) => text + render(contents[index - 1] ?? '') + part));
