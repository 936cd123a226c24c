/** How the page's network learns what it is taught. */
import type { LearnerOptions } from 'engram/continual';
import type { OwnClass } from './protocol.ts';

/**
 * Ten drawings beside a hundred classes of three exemplars, in seconds: what the test of the page prints. Not aligned: the weights of
 * a class that is a few dozen steps old are small, and would be made larger than all others.
 */
export const RECIPE = {
  method: 'fdkd' as const,
  align: false,
  epochs: 3,
  batch: 32,
  lr: 0.02,
  crop: 2,
  rotate: 10,
  scale: [0.9, 1.1] as [number, number],
} satisfies LearnerOptions;

/** What is kept of classes that the site's network is taught; a learner that is brought along keeps as many as it did. */
export const MEMORY = { memoryPerClass: 4 } satisfies LearnerOptions;

/** Visits of own pictures in an epoch, about: a quarter of what the exemplars of a hundred classes have. */
const VISITS = 80;
/** Of a single picture. */
const [FEWEST, MOST] = [1, 10];

/** How often each of so many pictures comes in an epoch. */
export const oversampling = (pictures: number): number =>
  Math.min(MOST, Math.max(FEWEST, Math.round(VISITS / pictures)));

/** Pictures that a class is learnt from at least: fewer say nothing of what they have in common. */
export const FEWEST_PICTURES = 3;
/** Whether a class can be taught: of one that is known already, a single picture more is something. */
export const hasEnough = ({ count, isKnown }: OwnClass): boolean => count >= (isKnown ? 1 : FEWEST_PICTURES);
/** Whether there is something of it that was not taught. */
export const hasNew = ({ count, taught }: OwnClass): boolean => count > taught;
/** Pictures that are kept of a class of one's own. */
export const MOST_PICTURES = 100;
