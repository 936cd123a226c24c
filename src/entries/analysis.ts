/**
 * What training came to: the curvature of a loss, the drift of features.
 * @module engram/analysis
 */
// Nothing inside `src` imports this file.
export { linearCKA } from '../analysis/cka.ts';
export { Hessian, type HessianOptions } from '../analysis/hessian.ts';
