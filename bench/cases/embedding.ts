/**
 * What JavaScript does to put a captured training step into an app's own encoder, next to replaying it by itself: the device does
 * nothing meanwhile, so that its time and that of the WebGPU implementation are not in it.
 */

import { capture, encode, submitted } from '../../src/index.ts';
import type { WorkCase } from '../bench-case.ts';
import { withIdleDevice } from '../bench-timing.ts';
import { trainingStep } from './train.ts';

/** Runs that are real: the step is run, then recorded. */
const REAL = 2;

const embedded = (kind: 'replay' | 'encode'): WorkCase => ({
  name: `embedding/${kind}/resnet20`,
  ...(kind === 'encode' ? { versus: 'embedding/replay/resnet20' } : {}),
  prepare(engine) {
    const work = trainingStep(engine, 'resnet20', 2, { size: 8 });
    const step = capture(engine, () => void work.run());
    const { device } = engine;
    const inEncoder = () => {
      const encoder = device.createCommandEncoder();
      encode(step, encoder);
      device.queue.submit([encoder.finish()]);
      submitted(engine);
    };
    let runs = 0;
    return {
      run() {
        if (runs++ < REAL) step();
        else withIdleDevice(device, kind === 'encode' ? inEncoder : step);
      },
      dispose() {
        step.dispose();
        work.dispose?.();
      },
    };
  },
});

export const embeddingCases: readonly WorkCase[] = [embedded('replay'), embedded('encode')];
