/**
 * What only tests of operations use: gradients against differences in float64.
 * @module engram/testing
 */
// Nothing inside `src` imports this file.
export { type GradcheckOptions, type GradcheckReport, gradcheck, type Reference64 } from '../autograd/gradcheck.ts';
