/**
 * The three kernel families of Dense Knowledge Distillation, each forwards and backwards. Bytes: the logits of student and
 * teacher read once and the student's gradient written once, or the losses read and their gradient written.
 */
import { GroupDraw, gatherGroups } from '../src/distill/group-draw.ts';
import { groupKD } from '../src/distill/group-kd.ts';
import { randomKD } from '../src/distill/random-kd.ts';
import { TaskPool } from '../src/distill/task-pool.ts';
import { weightedLoss } from '../src/distill/weighted-loss.ts';
import type { Engine, Tensor } from '../src/index.ts';
import { bytesOf, noise, noiseLeaf, type WorkCase } from './bench-case.ts';

interface Shape {
  readonly batch: number;
  readonly tasks: number;
  /** Classes a task; one more task is new. */
  readonly classes: number;
}

const logits = (engine: Engine, { batch, tasks, classes }: Shape): [student: Tensor, teacher: Tensor] => [
  noiseLeaf(engine, [batch, (tasks + 1) * classes]),
  noise(engine, [batch, tasks * classes], 1),
];

const poolOf = ({ tasks, classes }: Shape): TaskPool => TaskPool.of('dense', new Array<number>(tasks).fill(classes));
const told = ({ batch, tasks, classes }: Shape): string => `${tasks}x${classes}/b${batch}`;

/** Every group of the dense pool: 2^tasks − 1. */
const grouped: WorkCase[] = [
  { batch: 32, tasks: 4, classes: 2 },
  { batch: 32, tasks: 9, classes: 10 },
  { batch: 128, tasks: 9, classes: 10 },
  { batch: 128, tasks: 16, classes: 6 },
].map((shape) => ({
  name: `dkd/grouped/${told(shape)}`,
  prepare(engine) {
    const [student, teacher] = logits(engine, shape);
    const pool = poolOf(shape);
    return {
      bytes: 2 * bytesOf(student) + bytesOf(teacher),
      run() {
        const loss = groupKD(student, teacher, pool);
        return loss.node?.backward(loss);
      },
    };
  },
}));

const shape: Shape = { batch: 128, tasks: 9, classes: 10 };

const random: WorkCase[] = [
  {
    name: `dkd/random/${told(shape)}`,
    prepare(engine) {
      const [student, teacher] = logits(engine, shape);
      const draw = new GroupDraw(engine, poolOf(shape), { groups: 1, per: 'sample' });
      return {
        bytes: 2 * bytesOf(student) + bytesOf(teacher),
        run() {
          const loss = randomKD(student, teacher, draw);
          return loss.node?.backward(loss);
        },
        dispose: () => draw.dispose(),
      };
    },
  },
  {
    name: `dkd/draw-and-gather/${told(shape)}`,
    prepare(engine) {
      const [student, teacher] = logits(engine, shape);
      const pool = poolOf(shape);
      const draw = new GroupDraw(engine, pool, { groups: 1, per: 'sample' });
      return {
        bytes: 2 * bytesOf(student) + bytesOf(teacher) + 3 * 4 * shape.batch * pool.classes,
        run() {
          const packed = gatherGroups(student, teacher, draw.next(shape.batch).masks, pool).student;
          return packed.node?.backward(packed);
        },
        dispose: () => draw.dispose(),
      };
    },
  },
];

const weighted: WorkCase[] = [511, 4095].map((groups) => ({
  name: `dkd/weighted-loss/${groups}/b128`,
  prepare(engine) {
    const losses = noiseLeaf(engine, [128, groups]);
    const groupWeights = engine.uniform([groups], { from: { seed: 2 } });
    const sampleWeights = engine.uniform([128], { from: { seed: 3 } });
    return {
      bytes: 2 * bytesOf(losses),
      run() {
        const loss = weightedLoss(losses, { groupWeights, sampleWeights });
        return loss.node?.backward(loss);
      },
    };
  },
}));

export const distillCases: readonly WorkCase[] = [...grouped, ...random, ...weighted];
