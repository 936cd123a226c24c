/**
 * Operations against their definitions in float64, values and gradients, on drawn shapes and numbers. The tolerances are bounds on
 * what float32 can be off by (support/fuzz/bounded.ts). A failure prints the smallest case it shrank to, with its shapes and seeds.
 *
 * ENGRAM_FUZZ_RUNS: cases an operation. ENGRAM_FUZZ_SEED: other cases than the usual ones.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import { batchNormCases, checkBatchNorm } from './support/fuzz/batch-norm-case.ts';
import { checkConv2d, conv2dCases } from './support/fuzz/conv2d-case.ts';
import { checkMatmul, matmulCases } from './support/fuzz/matmul-case.ts';
import { broadcastCases, checkBroadcasts, checkReductions, reductionCases } from './support/fuzz/reduce-case.ts';
import { checkCrossEntropy, checkSoftmax, crossEntropyCases, softmaxCases } from './support/fuzz/softmax-case.ts';

const RUNS = 50;

function fuzz<T>(what: string, cases: fc.Arbitrary<T>, check: (one: T) => Promise<void>): void {
  test(`${what} of drawn shapes, as float64 has it`, () =>
    fc.assert(fc.asyncProperty(cases, check), {
      seed: Number(process.env.ENGRAM_FUZZ_SEED ?? 7),
      numRuns: Number(process.env.ENGRAM_FUZZ_RUNS ?? RUNS),
      includeErrorInReport: true,
    }));
}

fuzz('matrix products', matmulCases, checkMatmul);
fuzz('convolutions', conv2dCases, checkConv2d);
fuzz('batch norm', batchNormCases, checkBatchNorm);
fuzz('softmax', softmaxCases, checkSoftmax);
fuzz('cross entropy', crossEntropyCases, checkCrossEntropy);
fuzz('reductions', reductionCases, checkReductions);
fuzz('broadcasting operations', broadcastCases, checkBroadcasts);

test.run();
