/**
 * The sets by the addresses of their files. Each is written as bundlers look for it, so that they copy the files of those
 * sets that are used.
 */

export const fashionMini = {
  name: 'fashion-mini',
  files: {
    'classes.json': new URL('./fashion-mnist-mini/classes.json', import.meta.url).href,
    'train-images-idx3-ubyte.gz': new URL('./fashion-mnist-mini/train-images-idx3-ubyte.gz', import.meta.url).href,
    'train-labels-idx1-ubyte.gz': new URL('./fashion-mnist-mini/train-labels-idx1-ubyte.gz', import.meta.url).href,
    't10k-images-idx3-ubyte.gz': new URL('./fashion-mnist-mini/t10k-images-idx3-ubyte.gz', import.meta.url).href,
    't10k-labels-idx1-ubyte.gz': new URL('./fashion-mnist-mini/t10k-labels-idx1-ubyte.gz', import.meta.url).href,
  },
};

export const glyphs = {
  name: 'glyphs',
  files: {
    'classes.json': new URL('./glyphs/classes.json', import.meta.url).href,
    'train-images-idx3-ubyte.gz': new URL('./glyphs/train-images-idx3-ubyte.gz', import.meta.url).href,
    'train-labels-idx1-ubyte.gz': new URL('./glyphs/train-labels-idx1-ubyte.gz', import.meta.url).href,
    't10k-images-idx3-ubyte.gz': new URL('./glyphs/t10k-images-idx3-ubyte.gz', import.meta.url).href,
    't10k-labels-idx1-ubyte.gz': new URL('./glyphs/t10k-labels-idx1-ubyte.gz', import.meta.url).href,
  },
};
