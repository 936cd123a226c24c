/** Which line is which. */

import { type Html, html } from './html.ts';
import { lineStyles } from './line-style.ts';

/** @param labels of the lines; of a single one there is nothing to say. */
export function legend(labels: readonly string[]): Html {
  if (labels.length < 2) return html``;
  const items = lineStyles(labels).map(
    ({ label, colour, dash }) => html`<li><svg viewBox="0 0 28 8" aria-hidden="true"><line x1="0" x2="28" y1="5" y2="5"
      stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>${label}</li>`,
  );
  return html`<ul class="legend">${items}</ul>`;
}
