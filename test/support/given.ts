/** Tests of what not every machine has: where it is missing they are skipped, counted as skipped, and named. */

import { test } from 'uvu';

type Define = (title: string, story: () => Promise<void> | void) => void;

/** Defines tests where `met`; elsewhere they are skipped for want of `what`. The runner passes on the lines it prints. */
export const given =
  (met: boolean, what: string): Define =>
  (title, story) => {
    if (met) return test(title, story);
    console.log(`skipped for want of ${what}: ${title}`);
    test.skip(title, story);
  };
