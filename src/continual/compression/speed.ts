/** How fast a network answers on this adapter. */
import { noGrad } from '../../autograd/tape.ts';
import type { ImageFormat } from '../../data/image-bytes.ts';
import { capture } from '../../tensor/capture.ts';
import type { IncrementalModel } from '../method.ts';

/** How {@link imagesPerSecond} measures. */
export interface SpeedOptions {
  /** Images of a pass; 64 by default. */
  readonly batch?: number;
  /** The median of so many windows is taken; 5 by default. */
  readonly windows?: number;
  /** Of a window, at least; 200 by default. */
  readonly milliseconds?: number;
}

/**
 * Images a second that a model answers in inference, its passes recorded and replayed, none waited for but the last of a window:
 * the median of several windows. Compiling is no part of it.
 * @param format of the images; what is in them makes no difference.
 */
export async function imagesPerSecond(
  model: IncrementalModel,
  format: ImageFormat,
  { batch = 64, windows = 5, milliseconds = 200 }: SpeedOptions = {},
): Promise<number> {
  const { engine } = model;
  const { height, width, channels } = format;
  const wasTraining = model.training;
  model.eval();
  const images = engine.keep(engine.normal([batch, height, width, channels], { from: { seed: 0 } }));
  const pass = capture(engine, (x) => noGrad(engine, () => model.forward(x)));
  const secondsOf = async (passes: number): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < passes; i++) engine.scope(() => void pass(images));
    await engine.sync();
    return (performance.now() - started) / 1000;
  };
  try {
    // The first ones are recorded, and compiled.
    await secondsOf(3);
    let passes = 1;
    while ((await secondsOf(passes)) * 1000 < milliseconds) passes *= 2;
    const rates: number[] = [];
    for (let i = 0; i < windows; i++) rates.push((passes * batch) / (await secondsOf(passes)));
    return rates.sort((a, b) => a - b)[Math.floor(windows / 2)] as number;
  } finally {
    pass.dispose();
    images.dispose();
    model.train(wasTraining);
  }
}
