/** Parquet files as the Hugging Face hub stores images, by a writer that is not the reader's. */
import { parquetWriteBuffer } from 'hyparquet-writer';

export type Write = Parameters<typeof parquetWriteBuffer>[0];
/** A row as `datasets` has it. */
export interface Row {
  image: { bytes: Uint8Array | null; path: string | null } | null;
  label: number | string | null;
}

/** What the labels mean. */
export const CLASSES = ['cat', 'dog', 'owl'];
/** What `datasets` writes under `huggingface`. */
export const features = (others: object = {}): string =>
  JSON.stringify({
    info: { features: { image: { _type: 'Image' }, label: { names: CLASSES, _type: 'ClassLabel' }, ...others } },
  });

/** A file with the schema that `datasets` writes; rows in groups of two. */
export function parquetOf(
  rows: readonly Row[],
  { kvMetadata = [{ key: 'huggingface', value: features() }], ...options }: Partial<Write> = {},
  columns: Write['columnData'] = [],
): Uint8Array {
  const isWord = rows.some(({ label }) => typeof label === 'string');
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'image', data: rows.map(({ image }) => image) },
      { name: 'label', data: rows.map(({ label }) => (typeof label === 'number' ? BigInt(label) : label)) },
      ...columns,
    ],
    schema: [
      { name: 'schema', num_children: 2 + columns.length },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      isWord
        ? { name: 'label', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }
        : { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
      ...columns.map(({ name }) => ({ name, type: 'INT64' as const, repetition_type: 'OPTIONAL' as const })),
    ],
    rowGroupSize: 2,
    kvMetadata,
    ...options,
  });
  return new Uint8Array(buffer);
}
