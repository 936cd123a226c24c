/** A tensor's buffer in the hands of the app around the engine. */

import { FreedTensorError } from '../../errors.ts';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import { handOver } from '../../gpu/embedding/host-encoder.ts';
import { refusal } from '../../gpu/embedding/refusal.ts';
import { DISPOSE } from '../dispose.ts';
import type { Tensor } from '../tensor.ts';

/** A `GPUBufferBinding` that ends. Looking into it after that throws a {@link FreedTensorError}. */
export interface Lease extends Disposable {
  /** Has the usages STORAGE, COPY_SRC and COPY_DST, unless the tensor wraps one; the app does not destroy it. */
  readonly buffer: GPUBuffer;
  /** Where the tensor begins, in bytes. */
  readonly offset: number;
  /** Bytes of the tensor, in whole words. */
  readonly size: number;
  /** Gives the buffer back. Only call when the app has submitted its last use. Doing it twice is harmless. */
  dispose(): void;
}

/**
 * Lends a tensor's buffer to the app around the engine, for passes of its own on the same device. It holds the tensor until the
 * lease is disposed of, also when the tensor is freed before that. What was recorded so far is in the queue when this returns, or in
 * the app's encoder (see {@link recordInto}); for what is recorded later, `await engine.flush()` before the app submits. What a
 * captured step returns lies in the same buffer after every replay: borrowing it once is enough.
 * @throws {ArgumentError} while kernels of what was recorded still compile, and inside a captured step.
 * @throws {FreedTensorError} when the tensor was freed.
 * @example
 * using lease = borrow(tensor);
 * const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: lease }] });
 */
export function borrow(tensor: Tensor): Lease {
  tensor.assertLive('borrow', 'this tensor');
  const { engine, storage } = tensor;
  const { recorder } = engine.embedding('borrow');
  if (!storage.hasBuffer) {
    throw refusal(
      'borrow',
      'a tensor of a step that is being recorded has no buffer yet.',
      'Return it from the step, and borrow what the call returns.',
    );
  }
  handOver(recorder, 'borrow');
  storage.refs++;
  storage.leases++;
  let isOver = false;
  const held = (): DeviceBuffer => {
    if (!isOver) return storage;
    throw new FreedTensorError({
      where: 'borrow',
      message: 'this lease was disposed of: its buffer belongs to other tensors now.',
      fix: 'Borrow the tensor again, or dispose of the lease later.',
    });
  };
  const dispose = (): void => {
    if (isOver) return;
    isOver = true;
    storage.leases--;
    // Passes of the app's in its encoder may still read it: no upload goes ahead of them.
    if (recorder.host) storage.lastBatch = Number.POSITIVE_INFINITY;
    engine.release(storage);
  };
  return {
    get buffer() {
      return held().buffer;
    },
    get offset() {
      return held().offset;
    },
    get size() {
      return held().bytes;
    },
    dispose,
    [DISPOSE]: dispose,
  };
}
