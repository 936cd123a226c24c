/** A matrix as a table of a page, each cell the greener the larger it is. */
import { type Html, html } from './html.ts';
import { spreadCell } from './spread-cell.ts';

export interface HeatCell {
  /** With what is behind its ±, which comes below. */
  readonly text: string;
  /** Of the colour, from 0 to 1; cut off beyond. No colour without one. */
  readonly share?: number;
  /** Of a column that sums up the others. */
  readonly isTotal?: boolean;
}

export interface HeatRow {
  readonly name: string;
  /** `null` where there is nothing. */
  readonly cells: readonly (HeatCell | null)[];
}

export interface HeatTable {
  /** Over the names of the rows. */
  readonly corner: string;
  readonly heads: readonly (string | Html)[];
  readonly rows: readonly HeatRow[];
  /** Below the columns. */
  readonly foot?: HeatRow;
  /** Of the table, beside `heat`. */
  readonly kind?: string;
}

function cellOf(cell: HeatCell | null): Html {
  if (cell === null) return html`<td class="none"></td>`;
  const { text, share, isTotal = false } = cell;
  const content = spreadCell(text);
  if (isTotal) return html`<td class="all">${content}</td>`;
  if (share === undefined) return html`<td class="none">${content}</td>`;
  return html`<td style="--share:${Math.min(1, Math.max(0, share)).toFixed(3)}">${content}</td>`;
}

const rowOf = ({ name, cells }: HeatRow): Html => html`<tr><th scope="row">${name}</th>${cells.map(cellOf)}</tr>`;

/** In a box of its own, in which it may be wider than a telephone. */
export function heatTable({ corner, heads, rows, foot, kind }: HeatTable): Html {
  const columns = heads.map((head) => (typeof head === 'string' ? html`<th>${head}</th>` : head));
  const below = foot ? html`<tfoot>${rowOf(foot)}</tfoot>` : html``;
  return html`<div class="scroll"><table class="${kind ? `heat ${kind}` : 'heat'}"><thead><tr><th scope="row">${corner}</th>${columns}</tr></thead>
<tbody>${rows.map(rowOf)}</tbody>${below}</table></div>`;
}
