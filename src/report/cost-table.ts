/** What each task of a run took: epochs, time, exemplars, memory. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { epochsText } from './epochs-text.ts';
import { type Html, html } from './html.ts';
import { byteText, duration } from './run-facts.ts';
import { mean } from './statistics.ts';

/** A line a task; nothing of runs whose records do not say. */
export function costTable(record: RunRecord): Html {
  const { tasks = [], losses } = record;
  if (tasks.length === 0) return html``;
  const rows = tasks.map(({ seconds, exemplars, exemplarBytes, peakBytes, notes, newClasses }, task) => {
    const epochs = losses.filter((epoch) => epoch.task === task);
    const speeds = epochs.flatMap(({ imagesPerSecond }) => (imagesPerSecond === undefined ? [] : [imagesPerSecond]));
    const cells = [
      `${newClasses.length}`,
      epochsText(epochs),
      duration(seconds),
      speeds.length > 0 ? mean(speeds).toFixed(0) : '',
      `${exemplars}`,
      exemplarBytes === undefined ? '' : byteText(exemplarBytes),
      peakBytes === undefined ? '' : byteText(peakBytes),
      Object.entries(notes)
        .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
        .join(', '),
    ];
    return html`<tr><th scope="row">${task + 1}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  });
  const heads = ['classes', 'epochs', 'time', 'images/s', 'exemplars', 'of them', 'on the device', 'noted'];
  return html`<figure><figcaption>Time and memory of each task. On the device: the most that tensors held so far, since the run was begun or
gone on with.</figcaption><div class="scroll"><table class="lines costs"><thead><tr><th scope="row">task</th>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></figure>`;
}
