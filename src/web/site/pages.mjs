/** What all pages have in common, put in when they are served or built: their head, the way to the others, what they may load. */
import { LICENCES } from './licences.mjs';

/**
 * The pages in the order of the navigation. A page that is not here is not built.
 * @type {{ file: string, title: string, wasm?: boolean }[]} `wasm`: whether it may compile WebAssembly.
 */
export const PAGES = [
  { file: 'index.html', title: 'Watch' },
  { file: 'teach.html', title: 'Teach' },
  { file: 'landscape.html', title: 'Landscape' },
  { file: 'gpu.html', title: 'Your GPU' },
  { file: 'embed.html', title: 'Embed', wasm: true },
];

/**
 * Nothing comes from elsewhere and nothing goes there: workers, data and pictures of this site alone.
 * @param {string} file
 */
const policyOf = (file) =>
  [
    "default-src 'none'",
    `script-src 'self'${PAGES.some((page) => page.file === file && page.wasm) ? " 'wasm-unsafe-eval'" : ''}`,
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self' blob:",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 13V9h4V5h4v4h4v4z' fill='%231f66d1'/%3E%3C/svg%3E";

/**
 * @typedef {object} PagesOptions
 * @property {boolean} isStrict whether the policy stands in the pages: a development server puts its own styles in.
 * @property {boolean} hasApi whether the API reference is there.
 */

/** @param {string} file the page that it stands on @param {boolean} hasApi */
const header = (file, hasApi) => {
  const links = PAGES.map((page) => {
    const current = page.file === file ? ' aria-current="page"' : '';
    return `<li><a href="./${page.file}"${current}>${page.title}</a></li>`;
  });
  return `<a class="skip" href="#main">Skip to the page</a>
<header class="site"><a class="brand" href="./index.html">Engram</a>
<nav aria-label="Pages"><ul>${links.join('')}${hasApi ? '<li><a href="./api/index.html">API</a></li>' : ''}</ul></nav></header>`;
};

/** @param {boolean} isBuilt whether the licences are there. */
const footer = (isBuilt) => `<footer class="site">
<p>Everything on this page is computed on this machine. No picture, drawing or figure leaves it.${isBuilt ? ` <a href="./${LICENCES}">Licences</a>` : ''}</p>
</footer>`;

/**
 * @param {PagesOptions} options
 * @returns {import('vite').Plugin}
 */
export const sitePages = ({ isStrict, hasApi }) => ({
  name: 'site-pages',
  transformIndexHtml: {
    order: 'pre',
    handler(html, { path }) {
      const file = path.split('/').at(-1) || 'index.html';
      const policy = isStrict ? `<meta http-equiv="Content-Security-Policy" content="${policyOf(file)}">\n` : '';
      return html
        .replace(
          '<head>',
          `<head>\n<meta charset="utf-8">\n${policy}<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n<link rel="icon" href="${ICON}">`,
        )
        .replace('<body>', `<body>\n${header(file, hasApi)}`)
        .replace('</body>', `${footer(isStrict)}\n</body>`);
    },
  },
});
