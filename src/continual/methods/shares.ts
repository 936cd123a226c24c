/** How old and new classes share in a loss. */
import type { Task } from '../method.ts';

/** λ = K/N, the share of old classes (Wu et al. 2019, Zhao et al. 2020); a half where a task has no new ones. */
export const oldShare = ({ oldClasses, newClasses }: Pick<Task, 'oldClasses' | 'newClasses'>): number =>
  newClasses > 0 ? oldClasses / (oldClasses + newClasses) : 0.5;
