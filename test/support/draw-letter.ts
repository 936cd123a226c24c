/** Drawing on the page Teach, as by a mouse. */
import type { Page } from 'playwright-core';

/** An A, in parts of the sheet's side. */
const LETTER = [
  [
    [0.22, 0.85],
    [0.5, 0.15],
    [0.78, 0.85],
  ],
  [
    [0.33, 0.6],
    [0.67, 0.6],
  ],
] as const;

export async function drawLetter(page: Page): Promise<void> {
  await page.getByLabel('Draw', { exact: true }).check();
  const pad = (await page.locator('#pad').boundingBox()) as { x: number; y: number; width: number };
  for (const stroke of LETTER) {
    for (const [at, [x, y]] of stroke.entries()) {
      await page.mouse.move(pad.x + x * pad.width, pad.y + y * pad.width, { steps: 8 });
      if (at === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
}
