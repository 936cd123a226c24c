/** The task pool drawn as its groups: what the former self thought of a picture within each, and what the learner thinks now. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { picture, pixelsOf } from '../shared/picture.ts';
import type { Begun, LearnerTold, Views } from './protocol.ts';
import { divergence, groupProbabilities, probabilitiesOf, type Recording } from './recording.ts';

export interface PoolChoice {
  readonly learner: number;
  readonly picture: number;
}

/** Groups that are drawn; of the dense pool the smallest come first. */
const MOST_GROUPS = 31;
/** Pictures to choose from, evenly over the old classes. */
const MOST_PICTURES = 20;
const [BAR, GAP, HIGH] = [7, 2, 34];

/** Two bars a class: the former self's is an outline, the learner's is filled. */
function bars(before: readonly number[], now: readonly number[], learner: number): TemplateResult {
  const width = before.length * (2 * BAR + 2 * GAP);
  return html`<svg class="bars" viewBox="0 0 ${width} ${HIGH}" width=${width} height=${HIGH} aria-hidden="true">${before.map(
    (share, at) => {
      const x = at * (2 * BAR + 2 * GAP);
      const [was, is] = [share * (HIGH - 2), (now[at] as number) * (HIGH - 2)];
      return svg`<rect class="was" x=${x + 0.5} y=${HIGH - 0.5 - was} width=${BAR - 1} height=${was}/>
      <rect class="is" data-line=${learner} x=${x + BAR} y=${HIGH - is} width=${BAR} height=${is}/>`;
    },
  )}</svg>`;
}

function groupRow(
  recording: Recording,
  before: Views,
  now: Views,
  group: readonly number[],
  chosen: PoolChoice,
): TemplateResult {
  const { classes, learners } = recording.begun;
  const { temperature } = learners[chosen.learner] as LearnerTold;
  const members = group.flatMap((task) => {
    const first = recording.classesAfter(task);
    return Array.from({ length: recording.classesAfter(task + 1) - first }, (_, i) => first + i);
  });
  const [teacher, student] = [before, now].map((views) =>
    groupProbabilities(probabilitiesOf(views, chosen.picture), members, temperature),
  ) as [number[], number[]];
  const most = members[teacher.indexOf(Math.max(...teacher))] as number;
  const says = `Tasks ${group.map((task) => task + 1).join(', ')}: its former self said ${classes[most]}, ${(100 * Math.max(...teacher)).toFixed(0)} %; now ${(100 * (student[members.indexOf(most)] as number)).toFixed(0)} %.`;
  return html`<li title=${says}><span class="chips">${group.map((task) => html`<span>${task + 1}</span>`)}</span>
    ${bars(teacher, student, chosen.learner)}<span class="kl">${divergence(teacher, student).toFixed(2)}</span>
    <span class="visually-hidden">${says} The divergence is ${divergence(teacher, student).toFixed(2)}.</span></li>`;
}

/** Pictures of old classes, as many of each. */
function candidates({ labels }: Begun, oldClasses: number): number[] {
  const each = Math.max(1, Math.floor(MOST_PICTURES / oldClasses));
  const counts = new Map<number, number>();
  return [...labels.keys()]
    .filter((at) => {
      const label = labels[at] as number;
      const count = counts.get(label) ?? 0;
      counts.set(label, count + 1);
      return label < oldClasses && count < each;
    })
    .slice(0, 2 * MOST_PICTURES);
}

/**
 * @param task after which it is looked at.
 * @param choose is told of another learner, or another picture.
 */
export function poolView(
  recording: Recording,
  task: number,
  chosen: PoolChoice,
  choose: (choice: PoolChoice) => void,
): TemplateResult {
  const { begun, stages } = recording;
  const [stage, before] = [stages[chosen.learner]?.[task], stages[chosen.learner]?.[task - 1]?.views];
  const now = stage?.views;
  const held = recording.held[chosen.learner]?.[task]?.groups ?? [];
  const { method, pool } = begun.learners[chosen.learner] as LearnerTold;
  const tabs = begun.learners.map(
    (
      { method: name },
      learner,
    ) => html`<label><input type="radio" name="pool-learner" .checked=${learner === chosen.learner}
      @change=${() => choose({ ...chosen, learner })}>${name}</label>`,
  );
  const head = html`<h2>The task pool</h2><p class="soft">A network that knows several tasks is also capable of every combination of them. Each row is
    one: the softmax over its classes alone, of the former self (outline) and now (filled), and how far they are apart.</p>
    <fieldset class="tabs"><legend class="visually-hidden">Learner</legend>${tabs}</fieldset>`;
  if (!stage || !now || !before)
    return html`<div class="card">${head}<p class="soft">${task === 0 ? 'There is something to keep from the second task on.' : 'The models of that time are gone.'}</p></div>`;
  const groups =
    held.length > 0
      ? [...held].sort((a, b) => a.length - b.length)
      : stage.accuracies.slice(0, -1).map((_, of) => [of]);
  const shown = groups.slice(0, MOST_GROUPS);
  const { pictures, classes, labels } = begun;
  const choices = candidates(begun, before.known);
  // Of the one that was chosen the class may not have been known yet.
  const at = choices.includes(chosen.picture) ? chosen.picture : (choices[0] as number);
  const looked = { ...chosen, picture: at };
  return html`<div class="card">${head}
    <ul class="pictures choose">${choices.map((one) => {
      const says = classes[labels[one] as number] as string;
      return html`<li><button aria-label=${says} aria-pressed=${one === at} @click=${() => choose({ ...chosen, picture: one })}>
        ${picture(pixelsOf(pictures.data, one, pictures), pictures, says)}</button></li>`;
    })}</ul>
    <p class="small">${
      pool === null
        ? html`<strong>${method}</strong> asks nothing of its former self: this is how far it drifted from it, task by task.`
        : html`<strong>${method}</strong> was held to ${groups.length === 1 ? 'one group' : `${groups.length} groups`} in this task.`
    } The picture: ${classes[labels[at] as number]}.</p>
    <ul class="groups">${shown.map((group) => groupRow(recording, before, now, group, looked))}</ul>
    ${groups.length > shown.length ? html`<p class="soft small">and ${groups.length - shown.length} larger groups</p>` : nothing}</div>`;
}
