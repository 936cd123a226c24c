/**
 * A browser started with `LANG=C` calls its language `en-US@posix`, which `Intl` refuses, and uPlot asks for as it is loaded.
 * Import this before it.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
