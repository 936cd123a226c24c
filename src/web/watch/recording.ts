/** What was told of a run so far, and what follows from it. */
import type { Begun, Held, Stage, Stepped, Told, Views } from './protocol.ts';

/** The losses of a learner: where on the way each step was, in tasks, and what its loss was. */
export interface Losses {
  readonly at: number[];
  readonly loss: number[];
}

/** A picture that was right after the task before, and is wrong now. */
export interface Forgotten {
  readonly picture: number;
  /** What it is taken for: a class. */
  readonly taken: number;
}

export class Recording {
  /** Of each learner, by task. */
  readonly stages: Stage[][];
  /** Of each learner, by task: what it is, or was, held to. */
  readonly held: Held[][];
  readonly losses: readonly Losses[];
  /** The latest step of each learner. */
  readonly latest: (Stepped | null)[];

  constructor(readonly begun: Begun) {
    const { learners } = begun;
    this.stages = learners.map(() => []);
    this.held = learners.map(() => []);
    this.losses = learners.map(() => ({ at: [], loss: [] }));
    this.latest = learners.map(() => null);
  }

  /** Takes down what was told. A stage that is told again takes the place of the first. */
  add(told: Told): void {
    if (told.type === 'stage') (this.stages[told.learner] as Stage[])[told.task] = told;
    if (told.type === 'held') (this.held[told.learner] as Held[])[told.task] = told;
    if (told.type === 'stepped') {
      const { at, loss } = this.losses[told.learner] as Losses;
      const place = told.task + told.done;
      // A task that is learnt again, since the device was lost in it.
      while ((at.at(-1) ?? 0) > place) {
        at.pop();
        loss.pop();
      }
      at.push(place);
      loss.push(told.loss);
      this.latest[told.learner] = told;
    }
  }

  /** Tasks that all learners have finished. */
  get tasksDone(): number {
    return Math.min(...this.stages.map(({ length }) => length));
  }

  get tasks(): number {
    return this.begun.taskSizes.length;
  }

  /** Classes seen after so many tasks. */
  classesAfter(tasks: number): number {
    return this.begun.taskSizes.slice(0, tasks).reduce((total, size) => total + size, 0);
  }

  /** What a learner had right after the task before, and has wrong after this one; the surest mistakes first. */
  forgotten(learner: number, task: number): Forgotten[] {
    const [before, after] = [this.stages[learner]?.[task - 1]?.views, this.stages[learner]?.[task]?.views];
    if (!before || !after) return [];
    const { labels } = this.begun;
    const known = before.probabilities.length / before.known;
    const found: (Forgotten & { readonly sure: number })[] = [];
    for (let picture = 0; picture < known; picture++) {
      const label = labels[picture] as number;
      const taken = takenFor(after, picture);
      if (taken === label || takenFor(before, picture) !== label) continue;
      found.push({ picture, taken, sure: probabilitiesOf(after, picture)[taken] as number });
    }
    return found.sort((a, b) => b.sure - a.sure);
  }
}

/** Of a picture, over the classes known. */
export const probabilitiesOf = ({ probabilities, known }: Views, picture: number): Float32Array =>
  probabilities.subarray(picture * known, (picture + 1) * known);

/** The class that a picture is taken for. */
export function takenFor(views: Views, picture: number): number {
  const row = probabilitiesOf(views, picture);
  return row.indexOf(Math.max(...row));
}

/**
 * A group's own softmax at a temperature, from the probabilities of all classes: softmax(z / T) restricted to the group is
 * proportional to p^(1/T).
 * @param classes places in the row.
 */
export function groupProbabilities(row: ArrayLike<number>, classes: readonly number[], temperature: number): number[] {
  const logits = classes.map((place) => Math.log(Math.max(row[place] as number, 1e-30)) / temperature);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** KL(p ‖ q), in nats. */
export const divergence = (p: readonly number[], q: readonly number[]): number =>
  p.reduce(
    (total, share, at) => (share > 0 ? total + share * Math.log(share / Math.max(q[at] as number, 1e-30)) : total),
    0,
  );
