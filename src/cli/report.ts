/** `engram report`: one page from the records of one run or several. */
import { dirname } from 'node:path';
import { files } from '#files';
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { joinPath } from '../data/files.ts';
import { DataError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { reportPage } from '../report/page.ts';
import { summaryTable } from '../report/table.ts';
import { readRecord } from './run-folder.ts';

export async function report(folders: readonly string[], { out }: { out?: string }): Promise<void> {
  const records: RunRecord[] = [];
  for (const folder of folders) {
    const record = await readRecord(folder);
    if (!record) {
      throw new DataError({
        where: folder,
        message: 'no finished task of a run here (no run.json).',
        fix: 'Give the folder of a run, such as runs/NAME, that has learnt at least one task.',
      });
    }
    records.push(record);
  }
  const [first = '.'] = folders;
  const page = out ?? joinPath(folders.length === 1 ? first : dirname(first.replace(/\/+$/, '')), 'report.html');
  await files.write(page, reportPage(records));
  console.log(summaryTable(records));
  console.log(`report    ${printable(page)}`);
}
