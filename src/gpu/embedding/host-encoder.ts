/**
 * Work of the engine's in a host's own command encoder, in the order in which it was recorded: what came before the first
 * piece goes to the queue ahead of it, what comes between two pieces goes into the encoder with the second, and what comes
 * after the last waits until the host has submitted.
 *
 * Uploads keep that order. `queue.writeBuffer` runs before the host's submission, so it serves for buffers that nothing in
 * the encoder and no host uses; every other upload is a copy within the encoder.
 */

import type { ArgumentError } from '../../errors.ts';
import type { Command } from '../command.ts';
import type { Recorder } from '../recorder.ts';
import type { EmbeddingGround } from './ground.ts';
import { HostWork } from './host-work.ts';
import { refusal } from './refusal.ts';

const FLUSH_FIRST = '`await engine.flush()` first.';

const stillCompiling = (where: string, kernels: readonly string[], fix: string): ArgumentError =>
  refusal(
    where,
    `what was recorded waits for kernels to compile${kernels.length > 0 ? ` (${kernels.join(', ')})` : ''}.`,
    fix,
  );

/**
 * Hands everything recorded so far to the queue.
 * @throws {ArgumentError} when that has to wait: for a kernel, or for the host.
 */
export function handOver(recorder: Recorder, where: string): void {
  recorder.flush();
  if (recorder.isHandedOver) return;
  recorder.host?.refuse(where);
  throw stillCompiling(where, [], FLUSH_FIRST);
}

/** @throws {ArgumentError} or what is wrong with a kernel, unless all can be encoded now. */
export function checkCompiled(commands: readonly Command[], where: string, fix = FLUSH_FIRST): void {
  const missing = commands.flatMap((c) => (c.kind === 'dispatch' && !c.pipeline.compiled ? [c.pipeline] : []));
  for (const { error } of missing) if (error) throw error;
  if (missing.length > 0) throw stillCompiling(where, [...new Set(missing.map(({ name }) => name))], fix);
}

/** @throws {ArgumentError} when nothing can be put into it now. */
function open({ recorder, errors }: EmbeddingGround, encoder: GPUCommandEncoder, where: string): HostWork {
  if (!(encoder as GPUCommandEncoder | undefined)?.beginComputePass) {
    throw refusal(where, 'takes a GPUCommandEncoder.', 'See device.createCommandEncoder().');
  }
  if (recorder.draft || recorder.timer) {
    throw refusal(
      where,
      `was called inside ${recorder.timer ? 'a profile' : 'a captured step'}.`,
      'Capture the step alone, and put it into the encoder with encode().',
    );
  }
  if (recorder.host?.encoder === encoder) return recorder.host;
  recorder.host?.refuse(where);
  handOver(recorder, where);
  errors.isEmbedded = true;
  recorder.host = new HostWork(encoder);
  return recorder.host;
}

/**
 * Runs `fn`, and puts what it launches, copies and uploads into the encoder. Where it fails nothing is put there: what was
 * recorded until then stays the engine's own, and goes to the queue by itself in its turn.
 * @throws {ArgumentError} when the encoder cannot take it, or a kernel still compiles.
 * @throws what `fn` throws.
 */
export function putInto<T>(ground: EmbeddingGround, encoder: GPUCommandEncoder, where: string, fn: () => T): T {
  const { recorder } = ground;
  const host = open(ground, encoder, where);
  // Inside another one it is a part of that.
  if (host.isOpen) return fn();
  host.isOpen = true;
  try {
    const result = fn();
    checkCompiled(
      recorder.waiting,
      where,
      'What the function did goes to the queue without the encoder: `await engine.flush()`, and record it from then on.',
    );
    recorder.encodeFor(host);
    return result;
  } finally {
    host.isOpen = false;
    if (host.isEmpty) recorder.hostSubmitted();
  }
}
