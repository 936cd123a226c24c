/** The built site for a file of tests; importing this makes a program one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PageOptions } from './browser.ts';
import { openSite, type Site } from './site.ts';

/** Opens it: closed after the last test, and after each it is seen that nothing failed, and nothing strayed. */
export async function siteUnderTest(options: PageOptions = {}): Promise<Site> {
  const site = await openSite(options);
  test.after(() => site.close());
  test.after.each(() => {
    assert.equal(site.errors, [], 'nothing fails, and the policy refuses nothing');
    assert.equal(site.strays, [], 'nothing is asked of other servers');
  });
  return site;
}
