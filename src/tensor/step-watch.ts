/**
 * Watches over what the JavaScript of a captured step changes while it runs: no replay repeats it, and a call that fails
 * takes it back.
 */
import type { Runtime } from '../gpu/runtime.ts';

/** A tensor, as far as a watch looks at it. */
interface Leaf {
  grad: Leaf | null;
  dispose(): void;
}

const watches = new WeakMap<Runtime, StepWatch>();

/** The watch over the step that is running, if there is one. */
export const watchOf = (engine: Runtime): StepWatch | undefined => watches.get(engine);

export class StepWatch {
  /** The gradients that leaves had when the step first set them: views of them, `null` for those freed by then. */
  private readonly gradients = new Map<Leaf, Leaf | null>();
  private readonly undoing: (() => void)[] = [];
  /** Of the steps under way, this one's and those inside it, the leaves whose gradient each has set. */
  private readonly open: Set<Leaf>[] = [];
  /** Leaves whose gradient the step has set. */
  readonly leaves: Set<Leaf> = new Set();

  /** @param onRead Called when the step reads a tensor. */
  constructor(readonly onRead: () => void) {}

  /**
   * Runs the step. A step inside another one is part of it. When it fails, gradients are again what they were, but for those
   * that the step had freed by itself, which are `null`.
   */
  run<T>(engine: Runtime, step: () => T): T {
    const outer = watches.get(engine);
    if (outer) return outer.within(this.leaves, step);
    watches.set(engine, this);
    this.open.push(this.leaves);
    try {
      const result = step();
      for (const gradient of this.gradients.values()) gradient?.dispose();
      return result;
    } catch (error) {
      watches.delete(engine);
      for (const [leaf, gradient] of this.gradients) {
        leaf.grad?.dispose();
        leaf.grad = gradient;
      }
      for (const undo of this.undoing.reverse()) undo();
      throw error;
    } finally {
      watches.delete(engine);
    }
  }

  /** Whether the step has set the leaf's gradient. */
  hasSet(leaf: Leaf): boolean {
    return this.gradients.has(leaf);
  }

  /** The step sets a leaf's gradient. @param before makes a view of the one that it has. */
  willSet(leaf: Leaf, before: () => Leaf | null): void {
    for (const leaves of this.open) leaves.add(leaf);
    if (!this.gradients.has(leaf)) this.gradients.set(leaf, before());
  }

  private within<T>(leaves: Set<Leaf>, step: () => T): T {
    this.open.push(leaves);
    try {
      return step();
    } finally {
      this.open.splice(this.open.indexOf(leaves), 1);
    }
  }

  /** To be done when the step fails, the last first. */
  whenFailed(undo: () => void): void {
    this.undoing.push(undo);
  }
}
