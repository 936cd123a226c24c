/** A mean and its spread in a cell of a page's table. */
import { type Html, html } from './html.ts';

/**
 * The spread can come below where a line has no room for both, and what is in brackets below that.
 * @param text as `meanText` and `differenceText` have it; any other stays as it is.
 */
export function spreadCell(text: string): Html {
  const [mean = '', ...rest] = text.split(/(?= ± )|(?<= ± .*)(?= \()/);
  return html`${mean}${rest.map((part) => html`<span class="spread">${part}</span>`)}`;
}
