/** The same in a page. */

export async function unheardWhile(act: () => void): Promise<number> {
  let unheard = 0;
  const count = (event: Event) => {
    event.preventDefault();
    unheard++;
  };
  addEventListener('unhandledrejection', count);
  act();
  await new Promise((done) => setTimeout(done, 10));
  removeEventListener('unhandledrejection', count);
  return unheard;
}
