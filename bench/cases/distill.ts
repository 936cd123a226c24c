/**
 * Distillation's kernels beside the grouped loss (see bench-dkd.ts), forwards and backwards: the gather of random groups
 * and the weighted reduction. Bytes: what is read once and written once.
 */
import { GroupDraw, gatherGroups } from '../../src/distill/group-draw.ts';
import { TaskPool } from '../../src/distill/task-pool.ts';
import { weightedLoss } from '../../src/distill/weighted-loss.ts';
import { bytesOf, noise, noiseLeaf, type WorkCase } from '../bench-case.ts';

const BATCH = 128;

const gathered: WorkCase = {
  name: 'dkd/draw-and-gather/9x10',
  prepare(engine) {
    const pool = TaskPool.of('dense', new Array<number>(9).fill(10));
    const student = noiseLeaf(engine, [BATCH, 100]);
    const teacher = noise(engine, [BATCH, 90], 1);
    const draw = new GroupDraw(engine, pool, { groups: 1, per: 'sample' });
    return {
      bytes: 2 * bytesOf(student) + bytesOf(teacher) + 3 * 4 * BATCH * pool.classes,
      run() {
        const packed = gatherGroups(student, teacher, draw.next(BATCH).masks, pool).student;
        return packed.node?.backward(packed);
      },
      dispose: () => draw.dispose(),
    };
  },
};

const weighted: WorkCase[] = [511, 4095].map((groups) => ({
  name: `dkd/weighted-loss/${groups}`,
  prepare(engine) {
    const losses = noiseLeaf(engine, [BATCH, groups]);
    const groupWeights = engine.uniform([groups], { from: { seed: 2 } });
    const sampleWeights = engine.uniform([BATCH], { from: { seed: 3 } });
    return {
      bytes: 2 * bytesOf(losses),
      run() {
        const loss = weightedLoss(losses, { groupWeights, sampleWeights });
        return loss.node?.backward(loss);
      },
    };
  },
}));

export const distillCases: readonly WorkCase[] = [gathered, ...weighted];
