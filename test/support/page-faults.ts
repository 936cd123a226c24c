/** What is wrong with how a page of a report lies on a screen. */
import type { Page } from 'playwright-core';

/** What sticks out of the page or of its box, is too small to be read, or lies on another piece of text; in words. */
export const pageFaults = (shown: Page): Promise<string[]> =>
  shown.evaluate(() => {
    const found: string[] = [];
    const { clientWidth } = document.documentElement;
    const { scrollWidth } = document.scrollingElement!;
    if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide, of ${clientWidth}`);
    const called = (one: Element) =>
      `${one.tagName.toLowerCase()} ${one.className} "${one.textContent!.trim().slice(0, 30)}"`;
    for (const svg of document.querySelectorAll('svg[aria-label]')) {
      const box = svg.getBoundingClientRect();
      if (box.width === 0) continue;
      const name = svg.getAttribute('aria-label');
      if (box.right > clientWidth + 1) found.push(`${name} ends at ${box.right}`);
      const scale = box.width / Number(svg.getAttribute('width'));
      if (scale < 0.8) found.push(`${name} is drawn at ${scale} of its size`);
      const texts = [...svg.querySelectorAll('text')].map((text) => ({ text, at: text.getBoundingClientRect() }));
      for (const { text, at } of texts)
        if (at.left < box.left - 1 || at.right > box.right + 1) found.push(`${name}: "${text.textContent}" is cut off`);
      for (const [i, a] of texts.entries())
        for (const b of texts.slice(i + 1)) {
          const wide = Math.min(a.at.right, b.at.right) - Math.max(a.at.left, b.at.left);
          const high = Math.min(a.at.bottom, b.at.bottom) - Math.max(a.at.top, b.at.top);
          if (wide > 1 && high > 3) found.push(`${name}: "${a.text.textContent}" and "${b.text.textContent}" overlap`);
        }
    }
    for (const box of document.querySelectorAll('.scroll, pre, figure')) {
      const { left, right } = box.getBoundingClientRect();
      if (left < 0 || right > clientWidth + 1) found.push(`${called(box)} ends at ${right}`);
    }
    // Tables and text to copy may be wider than a telephone, in a box of their own; nothing else may.
    for (const box of document.body.querySelectorAll<HTMLElement>('*:not(.scroll, pre, svg *)'))
      if (box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1)
        found.push(`${called(box)} is cut off at ${box.clientWidth}, of ${box.scrollWidth}`);
    // Rows keep their names in sight, beside room for what is said of them.
    for (const box of document.querySelectorAll('.scroll')) {
      if (box.scrollWidth <= box.clientWidth + 1) continue;
      box.scrollLeft = box.scrollWidth;
      const { left, width } = box.getBoundingClientRect();
      for (const name of box.querySelectorAll('tbody tr > th[scope=row]:first-child, th[scope=rowgroup] > *')) {
        const at = name.getBoundingClientRect();
        if (at.left < left - 1) found.push(`${called(name)} is scrolled away`);
        if (name.matches('[scope=row]') && at.width > 0.6 * width) found.push(`${called(name)} takes ${at.width}`);
      }
      box.scrollLeft = 0;
    }
    return found;
  });
