/** Rejections that nobody hears, in Node; `unheard-browser.ts` stands in for it in a page. */

/** How many there are while something is done, and a moment after. */
export async function unheardWhile(act: () => void): Promise<number> {
  let unheard = 0;
  const count = () => {
    unheard++;
  };
  process.on('unhandledRejection', count);
  act();
  await new Promise((done) => setTimeout(done, 10));
  process.off('unhandledRejection', count);
  return unheard;
}
