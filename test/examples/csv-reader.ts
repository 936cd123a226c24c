/** A reader of one's own: `train.csv` and `test.csv`, a line an image: its label, then its pixels, in a square. */
import type { DataSource, DatasetReader } from '../../src/entries/data.ts';
import { DataError, type ImageDataset } from '../../src/index.ts';

async function readPart(source: DataSource, file: string, name: string): Promise<ImageDataset> {
  const text = new TextDecoder().decode(await source.read(file));
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const pixels = (rows[0]?.length ?? 0) - 1;
  const side = Math.sqrt(pixels);
  if (
    !Number.isInteger(side) ||
    rows.some((row) => row.length !== pixels + 1 || row.some((x) => !(x >= 0 && x <= 255)))
  ) {
    throw new DataError({
      where: `${source.where}/${file}`,
      message: 'every line must be a label and as many pixels, 0 to 255, as the first one, for a square image.',
    });
  }
  return {
    name,
    images: Uint8Array.from(rows.flatMap((row) => row.slice(1))),
    labels: Uint8Array.from(rows.map(([label = 0]) => label)),
    height: side,
    width: side,
    channels: 1,
    classes: 1 + Math.max(...rows.map(([label = 0]) => label)),
  };
}

export const csv: DatasetReader = {
  format: 'train.csv and test.csv',
  async read(source, name) {
    if ((await source.find(['train.csv'])) === undefined) return undefined;
    const [train, test] = [await readPart(source, 'train.csv', name), await readPart(source, 'test.csv', name)];
    const classes = Math.max(train.classes, test.classes);
    return { train: { ...train, classes }, test: { ...test, classes } };
  },
};
