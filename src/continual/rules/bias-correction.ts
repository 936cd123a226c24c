/** BiC's correction of the bias towards new classes: a scale and a shift for each task's logits (Wu et al. 2019). */
import { ArgumentError, ShapeError } from '../../errors.ts';
import { parameter } from '../../nn/init.ts';
import { Module } from '../../nn/module.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import { gather } from '../../ops/gather.ts';
import '../../ops/methods.ts';
import { concat } from '../../ops/strided.ts';
import { tensorFrom, zeros } from '../../tensor/create.ts';
import type { Engine } from '../../tensor/engine.ts';
import { show } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * z · (1 + α_i) + β_i for the classes of task i; those of the first task stay as they are (Wu et al. 2019, with 1 + α for
 * its α, so that zeros correct nothing).
 * @param logits f32 [n, classes], task by task.
 * @param alpha f32 [tasks]; the first takes no part, and has the gradient zero.
 * @param beta f32 [tasks]; likewise.
 * @param taskSizes classes of each task.
 * @throws {ShapeError} when the sizes do not add up to the logits' classes, or there is not one α and β a task.
 * @throws {DTypeError} unless all are f32.
 */
export function correctBias(logits: Tensor, alpha: Tensor, beta: Tensor, taskSizes: readonly number[]): Tensor {
  const where = 'correctBias';
  const tasks = taskSizes.length;
  expectShapes(where, {
    logits: [logits, 'f32', ['n', 'classes']],
    alpha: [alpha, 'f32', [tasks]],
    beta: [beta, 'f32', [tasks]],
  });
  const taskOf = taskSizes.flatMap((size, task) => new Array<number>(size).fill(task));
  if (taskOf.length !== logits.shape[1]) {
    throw new ShapeError({
      where,
      message: `the logits are ${show(logits.shape)}; tasks of [${taskSizes.join(', ')}] classes need [n, ${taskOf.length}].`,
    });
  }
  const { engine } = logits;
  // A position that does not exist gives 0, and its gradient goes nowhere: the first task's.
  const index = tensorFrom(
    engine,
    Int32Array.from(taskOf, (task) => (task === 0 ? tasks : task)),
  );
  const ofClass = (values: Tensor) => gather(values.reshape([tasks, 1]), index).reshape([taskOf.length]);
  return logits.mul(ofClass(alpha).add(1)).add(ofClass(beta));
}

/**
 * Corrects the logits of a classifier that grows by tasks. Every task after the first has an α and a β of its own, `alpha.0`
 * being the second task's; they start from zero, and only the newest are trained.
 */
export class BiasCorrection extends Module {
  /** One [1] a task after the first. */
  readonly alpha: Tensor[] = [];
  /** Likewise. */
  readonly beta: Tensor[] = [];
  private readonly sizes: number[] = [];

  /**
   * @param taskSizes classes of the tasks so far.
   * @throws {ArgumentError} when a size is not a whole number above 0.
   */
  constructor(engine: Engine, taskSizes: readonly number[]) {
    super(engine);
    let classes = 0;
    for (const size of taskSizes) {
      classes += size;
      this.grow(classes);
    }
  }

  /** Classes of each task. */
  get taskSizes(): readonly number[] {
    return this.sizes;
  }

  /** Logits [n, classes], corrected. */
  forward(logits: Tensor): Tensor {
    const [alpha, beta] = [this.alpha, this.beta].map((own) => concat([zeros(logits.engine, [1]), ...own]));
    return correctBias(logits, alpha as Tensor, beta as Tensor, this.sizes);
  }

  /**
   * One more task; the α and β before it are trained no more.
   * @param classes of all tasks, the new one's included.
   * @throws {ArgumentError} when that is not more than before.
   */
  grow(classes: number): void {
    const before = this.sizes.reduce((sum, size) => sum + size, 0);
    if (!(Number.isInteger(classes) && classes > before)) {
      throw new ArgumentError({
        where: 'BiasCorrection',
        message: `cannot grow from ${before} to ${classes} classes; a whole number above ${before} was expected.`,
      });
    }
    this.sizes.push(classes - before);
    if (this.sizes.length === 1) return;
    for (const old of [...this.alpha, ...this.beta]) old.requiresGrad = false;
    for (const own of [this.alpha, this.beta]) own.push(parameter(this.engine, [1], () => 0));
  }
}
