/** The pages of reports in a browser: a telephone shows all of them, as a large screen does, in the light and in the dark. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMPRESSION_LOSSES } from '../src/continual/compression/settings.ts';
import { analysisPage } from '../src/report/analysis-page.ts';
import { compressionPage } from '../src/report/compression-page.ts';
import { compareLosses } from '../src/report/compression-results.ts';
import { dataPage } from '../src/report/data-page.ts';
import { reportPage } from '../src/report/page.ts';
import { openPage } from './support/browser.ts';
import { compressionReport, studentResult, studentResults } from './support/compression-report.ts';
import { given } from './support/given.ts';
import { largeAnalysis, largeRun } from './support/large-records.ts';
import { pageFaults } from './support/page-faults.ts';
import { countedRecord, plainRecord } from './support/run-records.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-width-'));
test.after(() => rmSync(home, { recursive: true, force: true }));

const isBrowserThere = existsSync('node_modules/@sparticuz/chromium');
const browser = isBrowserThere ? await openPage('http://localhost', home, { webgpu: false }) : null;
test.after(() => browser?.close());

const unbroken = 'a_name_that_breaks_nowhere_at_all';
const runs = [0, 1].map((seed) => largeRun(`a_run_with_${unbroken}_${seed}`, seed));
const analyses = [0, 1].map((seed) => largeAnalysis(`${unbroken}_${seed}`, 'fdkd', seed));
const classes = [`${unbroken}_${unbroken}`, 'cup'].map((name) => ({ name, train: 12345, test: 1234 }));

const pages = {
  'a run': () => reportPage([runs[0]!]),
  'several runs': () => reportPage([...runs, countedRecord(), plainRecord({ name: 'older', method: 'kd' })]),
  'an analysis': () => analysisPage([analyses[0]!]),
  'several analyses': () =>
    analysisPage([...analyses, largeAnalysis('b', 'lucir', 0), largeAnalysis(unbroken, unbroken, 3)]),
  'a compression': () =>
    compressionPage(
      compressionReport(
        compareLosses([...studentResults, ...[0, 1].map((seed) => studentResult('decoupled', seed, 53))]),
      ),
    ),
  'students that are all alike': () =>
    compressionPage(compressionReport(compareLosses(COMPRESSION_LOSSES.map((loss) => studentResult(loss, 0, 94))))),
  'a data set': () =>
    dataPage(
      {
        ...{ name: unbroken, format: "MNIST's IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte)", classes },
        ...{ train: 24690, test: 2468, images: { height: 28, width: 28, channels: 1 }, domains: [unbroken, 'night'] },
        ...{ moments: { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3] }, shared: { images: 7, otherClass: 1 } },
        notes: [`${unbroken}_${unbroken}.png is not a picture`],
      },
      [],
    ),
};

const inBrowser = given(browser !== null, 'a browser');
for (const [name, text] of Object.entries(pages))
  for (const width of [360, 720, 1280])
    for (const colorScheme of ['light', 'dark'] as const)
      inBrowser(`${name}: nothing is cut off and nothing overlaps at ${width} pixels, ${colorScheme}`, async () => {
        const { page } = browser!;
        const file = join(home, 'page.html');
        writeFileSync(file, text());
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`file://${file}`);
        assert.equal(await pageFaults(page), []);
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        assert.equal(await pageFaults(page), [], 'with everything unfolded');
      });

test.run();
