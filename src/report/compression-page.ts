/** A compression as one HTML file: no script, nothing fetched, as the other reports. */
import { lossFigure, sizeFigure } from './compression-chart.ts';
import {
  type CompressionReport,
  LOSS_HEAD,
  lossRows,
  NETWORK_HEAD,
  networkRows,
  weightRows,
} from './compression-tables.ts';
import { Html, html } from './html.ts';
import { legend } from './legend.ts';
import { pageStyle } from './page-style.ts';
import { spreadCell } from './spread-cell.ts';

/** A head that may be broken behind a slash. */
const breakable = (head: string): Html[] =>
  head.split('/').map((part, at) => (at === 0 ? html`${part}` : html`/<wbr>${part}`));

function table(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  const [first = '', ...others] = head;
  const body = rows.map(
    ([name = '', ...cells]) =>
      html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${spreadCell(cell)}</td>`)}</tr>`,
  );
  return html`<div class="scroll"><table class="runs words"><thead><tr><th scope="row">${first}</th>${others.map((one) => html`<th>${breakable(one)}</th>`)}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** The best mean against the usual distillation and the teacher, without a word on what it proves. */
function headline({ losses, student, teacher, teacherAccuracy }: CompressionReport): string {
  const best = losses.reduce((a, b) => (b.accuracy.mean > a.accuracy.mean ? b : a));
  const { mean, runs } = best.accuracy;
  return (
    `${best.loss}: ${mean.toFixed(1)} % on average of ${runs} ${runs === 1 ? 'student' : 'students'} with ` +
    `${((100 * student.parameters) / teacher.parameters).toPrecision(2)} % of the parameters of a teacher of ${teacherAccuracy.toFixed(1)} %.`
  );
}

/** How each loss came to its weight. */
function weights(report: CompressionReport): Html {
  if (report.tried.length === 0) return html``;
  const { head, rows } = weightRows(report);
  return html`<figure><figcaption>Each loss at its own weight λ: the one (←) at which students that learnt on four fifths of each class's
training images did best on the others.</figcaption>${table(head, rows)}</figure>
`;
}

/** The page of a compression, as the text of an HTML file. */
export function compressionPage(report: CompressionReport): string {
  const { about } = report;
  const { classes, train, test, groups, settings } = about;
  const title = 'Engram: compression';
  const pairs: [string, string][] = [
    ['teacher', about.teacher],
    ['groups', groups.length > 0 ? groups.join(', ') : 'none'],
    ...Object.entries(settings).map(([key, value]): [string, string] => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(pageStyle)}</style></head><body>
<header><h1>${title}</h1><p>${about.data}, ${classes} classes · ${about.adapter} · ${about.date}</p></header>
<p class="headline">${headline(report)}</p>
<p>Each student learnt on ${train} images and was tested on ${test} others. Students of one seed start from the same weights and see the
same images in the same order, whatever their loss.</p>
<figure><figcaption>Accuracy by loss: a mark a student, their mean, and one standard deviation to both sides;
dashed the teacher, ${report.teacherAccuracy.toFixed(1)} %.</figcaption>
${lossFigure(report)}</figure>
<figure>${table(LOSS_HEAD, lossRows(report))}</figure>
${weights(report)}<figure><figcaption>Accuracy against parameters: means of the students, and the teacher.</figcaption>
${legend(report.losses.map(({ loss }) => loss))}${sizeFigure(report)}</figure>
<figure>${table(NETWORK_HEAD, networkRows(report))}</figure>
<details><summary>Configuration</summary><dl>${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>
<footer>Δ kd: mean difference to the usual distillation of the same seed ± its standard error (seeds ahead : behind). FLOP: twice the
multiply-adds of convolutions and classifier. Bytes: parameters and running statistics. Images/s: inference in batches of 64 on the adapter
named above. dense: cross entropy and every union of the classes' groups. kd: Hinton et al. 2015. decoupled: Zhao et al. 2022. scratch:
cross entropy alone.</footer>
</body></html>
`.text;
}
