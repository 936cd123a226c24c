/** A data set by the addresses of its files; `loadDataset` of `engram/data` takes it. */
export interface DatasetFiles {
  readonly name: string;
  /** Addresses by file names, those of MNIST. */
  readonly files: Readonly<Record<string, string>>;
}

/** 10 classes of Fashion-MNIST, 3000 + 1000 grey images of 28×28. */
export const fashionMini: DatasetFiles;
/** 100 characters of four scripts, 15000 + 5000 grey images of 28×28. */
export const glyphs: DatasetFiles;
