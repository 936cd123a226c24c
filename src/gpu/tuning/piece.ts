/** What the tuner chooses variants for. */

/** A piece of work on scratch operands. */
export interface Rehearsal {
  /** Does the work once. */
  launch(variant: string): void;
  dispose(): void;
}

/** Work that several variants of a kernel can do. */
export interface Piece {
  /** The kernel family. */
  readonly family: string;
  /** Equal for pieces that the same variant suits: all that may make one faster than another. */
  readonly key: string;
  /** The work for people. */
  readonly work: string;
  /** Floating point operations. */
  readonly flops: number;
  /** Variants that fit; the rule's comes first. */
  readonly variants: readonly string[];
  rehearse(): Rehearsal;
}

/** What is known about a piece of a tuned step. */
export interface TunedPiece extends Pick<Piece, 'family' | 'work' | 'flops'> {
  /** In one step. */
  readonly launches: number;
  /** The variant that the rule chooses. */
  readonly rule: string;
  /** The variant that runs from now on. */
  readonly variant: string;
  /** Milliseconds of one run by each variant that was measured. */
  readonly ms: Readonly<Record<string, number>>;
  /** `rule`: not measured, for want of budget or because nothing could be. */
  readonly from: 'measured' | 'cache' | 'rule';
}
