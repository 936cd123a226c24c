/** `engram data`: what a data set holds, before anything is learnt from it. */
import picocolors from 'picocolors';
import { files } from '#files';
import { describeDataset } from '../data/describe.ts';
import { type FoundDataset, findDataset } from '../data/load-dataset.ts';
import { MixedSizesError } from '../data/pictures.ts';
import type { ReadOptions } from '../data/reader.ts';
import { printable } from '../gpu/printable.ts';
import { dataFacts } from '../report/data-facts.ts';
import { dataPage } from '../report/data-page.ts';
import { pictureSheet } from '../report/picture-sheet.ts';
import { tableOf } from '../report/table.ts';
import { list } from './list.ts';
import { assertWritableFile } from './writable.ts';

export interface DataCommand {
  /** Where the page goes. */
  readonly html?: string;
  readonly json?: boolean;
}

/** Side that pictures of different sizes are brought to where none is asked for. */
const USUAL_SIZE = 64;
/** Classes that the terminal shows. */
const MOST_ROWS = 40;
/** Pictures of a class on the page, and of all. */
const [MOST_EACH, MOST_PICTURES] = [10, 2000];

/** As a run would find it, but that pictures may be of different sizes. */
async function found(name: string, options: ReadOptions): Promise<FoundDataset> {
  try {
    return await findDataset(name, options);
  } catch (error) {
    if (!(error instanceof MixedSizesError)) throw error;
    const { split, format } = await findDataset(name, { ...options, imageSize: USUAL_SIZE });
    const note = `pictures are of different sizes, and were brought to ${USUAL_SIZE}×${USUAL_SIZE}: to learn from them say --image-size`;
    return { split: { ...split, notes: [...(split.notes ?? []), note] }, format };
  }
}

/**
 * @param name a bundled set, a folder or a file.
 * @throws {DataError} for data that cannot be read, and before they are read for a page that cannot be written.
 */
export async function data(
  name: string,
  options: ReadOptions,
  { html, json }: DataCommand,
  columns: number,
): Promise<void> {
  if (html !== undefined) await assertWritableFile(html);
  const dataset = await found(name, options);
  const set = describeDataset(dataset);
  if (html !== undefined) {
    const each = Math.min(MOST_EACH, Math.max(1, Math.floor(MOST_PICTURES / set.classes.length)));
    await files.write(html, dataPage(set, pictureSheet(dataset.split.train, each)));
  }
  if (json) {
    console.log(JSON.stringify(set));
    return;
  }
  const facts = [['data', set.name] as const, ...dataFacts(set)];
  console.log(
    list(
      facts.map(([fact, value]) => ({ name: fact, texts: [printable(value)] })),
      columns,
    ),
  );
  for (const note of set.notes) console.log(picocolors.yellow(printable(note)));
  const table = tableOf(['class', 'number', 'train', 'test'].map(picocolors.bold), 'left');
  for (const [number, { name: className, train, test }] of set.classes.slice(0, MOST_ROWS).entries())
    table.push([printable(className), number, train, test]);
  console.log(table.toString());
  const more = set.classes.length - MOST_ROWS;
  if (more > 0) console.log(picocolors.dim(`and ${more} more; --json and --html have them all`));
  if (html !== undefined) console.log(`page      ${printable(html)}`);
}
