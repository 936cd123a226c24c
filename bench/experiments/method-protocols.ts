/** The protocols that all methods are compared under: sweeps, and PyTorch's figures for the same. */

export const PROTOCOLS = ['fashion', 'glyphs'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** What a protocol is, in words. */
export const titles: Readonly<Record<Protocol, string>> = {
  fashion: 'Fashion-MNIST, 5 tasks of 2 classes, 500 training images a class, 15 epochs, 200 exemplars',
  glyphs: 'Glyphs, 10 tasks of 10 classes, 60 training images a class, 12 epochs, 300 exemplars',
};

/** The same in a clause. */
export const protocols: Readonly<Record<Protocol, string>> = {
  fashion: '5 tasks of 2 Fashion-MNIST classes',
  glyphs: '10 tasks of 10 glyphs',
};

/** PyTorch's average incremental and last accuracy in percent, means over the first two orders; `null` where none was measured. */
export const pytorch: Readonly<Record<string, readonly [average: number | null, last: number]>> = {
  'fashion/joint': [null, 86.0],
  'fashion/finetune': [44.1, 19.6],
  'fashion/replay': [75.5, 69.8],
  'fashion/kd': [75.6, 69.5],
  'fashion/tkd': [75.2, 66.3],
  'fashion/fdkd': [76.0, 69.9],
  'glyphs/joint': [null, 70.3],
  'glyphs/finetune': [18.4, 6.1],
  'glyphs/replay': [53.8, 53.0],
  'glyphs/kd': [61.1, 60.8],
  'glyphs/tkd': [61.1, 64.4],
  'glyphs/fdkd': [61.0, 63.5],
};
