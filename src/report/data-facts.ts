/** What is said of a data set in a line each, in the terminal and on its page. */
import type { ClassCounts, DatasetDescription } from '../data/describe.ts';
import { formatName } from '../data/image-bytes.ts';
import { counted } from './counted.ts';

/** `300`, or `80 to 120` where classes differ. */
function spread(classes: readonly ClassCounts[], part: 'train' | 'test'): string {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { [part]: images } of classes) [least, most] = [Math.min(least, images), Math.max(most, images)];
  return least === most ? `${most}` : `${least} to ${most}`;
}

const side = ({ width, height }: { readonly width: number; readonly height: number }): string => `${width} × ${height}`;

function sizes({ images, pictureSizes }: DatasetDescription): string {
  const brought = `${formatName(images)} (height × width × channels)`;
  if (!pictureSizes) return brought;
  const { smallest, largest } = pictureSizes;
  const [from, to] = [side(smallest), side(largest)];
  return `${brought}, of files of ${from === to ? from : `${from} to ${to}`} pixels (width × height)`;
}

function shared({ shared: { images, otherClass }, test }: DatasetDescription): string {
  if (images === 0) return 'none of the test images';
  const share = `${images} of ${counted(test, 'test image')}`;
  return otherClass === 0 ? share : `${share}, ${otherClass} of them under another class`;
}

const values = (numbers: readonly number[]): string => numbers.map((value) => value.toFixed(4)).join(', ');

/** Names and what is said of them. */
export function dataFacts(set: DatasetDescription): readonly (readonly [name: string, value: string])[] {
  const { classes, domains, moments } = set;
  return [
    ['format', set.format],
    ['images', sizes(set)],
    ['classes', `${classes.length}`],
    ['to learn from', `${counted(set.train, 'image')}, ${spread(classes, 'train')} a class`],
    ['to test on', `${counted(set.test, 'image')}, ${spread(classes, 'test')} a class`],
    ...(domains.length > 0 ? [['domains', domains.join(', ')] as const] : []),
    ['mean', `${values(moments.mean)} of pixels from 0 to 1, by channel`],
    ['deviation', values(moments.std)],
    ['in both parts', shared(set)],
  ];
}
