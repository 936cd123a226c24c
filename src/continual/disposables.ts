/** Things that are freed together, whatever happens to the task that needed them. */

/** Something that can be freed. */
export interface Disposable {
  /** Frees it. */
  dispose(): void;
}

export class Disposables implements Disposable {
  private readonly held = new Set<Disposable>();

  /** Takes one in. */
  add<T extends Disposable>(one: T): T {
    this.held.add(one);
    return one;
  }

  /** Lets go of one without freeing it. */
  release<T extends Disposable>(one: T): T {
    this.held.delete(one);
    return one;
  }

  /**
   * Frees each once, the last taken in first.
   * @throws the first error of one of them, after the others are freed.
   */
  dispose(): void {
    const failures: unknown[] = [];
    for (const one of [...this.held].reverse()) {
      this.held.delete(one);
      try {
        one.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
