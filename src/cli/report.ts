/** `engram report`: one page from the records of one run or several. */
import { dirname } from 'node:path';
import picocolors from 'picocolors';
import { files } from '#files';
import { joinPath } from '../data/files.ts';
import { printable } from '../gpu/printable.ts';
import { reportPage } from '../report/page.ts';
import { unfinished } from '../report/run-facts.ts';
import { summaryTable } from '../report/table.ts';
import { exemplarsIn } from './exemplars.ts';
import { readRuns } from './read-run.ts';
import { assertWritableFile } from './writable.ts';

export async function report(folders: readonly string[], { out }: { out?: string }): Promise<void> {
  const runs = await readRuns(folders);
  const records = runs.map(({ record }) => record);
  const [first = '.'] = folders;
  const page = out ?? joinPath(folders.length === 1 ? first : dirname(first.replace(/\/+$/, '')), 'report.html');
  await assertWritableFile(page);
  const exemplars = [];
  for (const { path } of runs) exemplars.push(await exemplarsIn(path));
  await files.write(page, reportPage(records, { exemplars }));
  console.log(summaryTable(records));
  for (const record of records) {
    const left = unfinished(record);
    if (left !== null) console.log(picocolors.yellow(printable(`${record.name} is ${left}.`)));
  }
  for (const found of exemplars) if (typeof found === 'string') console.log(picocolors.yellow(printable(found)));
  console.log(`report    ${printable(page)}`);
}
