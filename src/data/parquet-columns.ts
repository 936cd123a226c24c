/** Which columns of a Parquet file are pictures and labels, by the features that the Hugging Face hub writes into its metadata. */
import { type FileMetaData, parquetSchema } from 'hyparquet';
import * as v from 'valibot';
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

export interface ImageColumns {
  readonly image: string;
  readonly label: string;
  /** In label order, where the file has them. */
  readonly classNames: readonly string[] | undefined;
}

/** What is read of `datasets.Features`, as JSON in the key `huggingface`. */
const Features = v.object({
  info: v.object({
    features: v.record(
      v.string(),
      v.looseObject({ _type: v.optional(v.string()), names: v.optional(v.array(v.string())) }),
    ),
  }),
});
type Feature = v.InferOutput<typeof Features>['info']['features'][string];

/** Of columns without a type; the first of several. */
const LABELS = ['label', 'labels', 'fine_label', 'class', 'target'];

function featuresOf({ key_value_metadata: pairs = [] }: FileMetaData): Readonly<Record<string, Feature>> {
  const text = pairs.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return {};
  try {
    const found = v.safeParse(Features, JSON.parse(text));
    return found.success ? found.output.info.features : {};
  } catch {
    // Columns can be told by their own types too.
    return {};
  }
}

/**
 * @param labels the column of labels that is asked for, or what stands before `_label` in its name.
 * @throws {DataError} when there is no column of pictures, or not one of labels.
 */
export function imageColumns(metadata: FileMetaData, labels: string | undefined, where: string): ImageColumns {
  const features = featuresOf(metadata);
  const columns = parquetSchema(metadata).children;
  const names = columns.map(({ element }) => element.name);
  const isPicture = ({ element, children }: (typeof columns)[number]): boolean =>
    features[element.name]?._type === 'Image' || children.some(({ element: { name } }) => name === 'bytes');
  const image = columns.find(isPicture)?.element.name;
  const fix = `The columns are ${names.map((name) => clipped(name)).join(', ') || 'none'}`;
  if (image === undefined) {
    throw new DataError({
      where,
      message: 'there is no column of pictures, { bytes, path }.',
      fix: `${fix}; a set of images is needed.`,
    });
  }
  const label = labelColumn(names, features, labels);
  if (label === undefined) {
    throw new DataError({
      where,
      message:
        labels === undefined
          ? 'it does not show which column the labels are.'
          : `there is no column of labels "${clipped(labels)}".`,
      fix: `${fix}: name one by --labels (\`labels\` of loadDataset()).`,
    });
  }
  return { image, label, classNames: features[label]?.names };
}

function labelColumn(
  names: readonly string[],
  features: Readonly<Record<string, Feature>>,
  asked: string | undefined,
): string | undefined {
  if (asked !== undefined)
    return names.find((name) => name === asked) ?? names.find((name) => name === `${asked}_label`);
  const typed = names.filter((name) => features[name]?._type === 'ClassLabel');
  const usual = LABELS.find((name) => names.includes(name));
  return typed.length === 1 ? typed[0] : usual;
}
