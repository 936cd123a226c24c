/** `engram/analysis`: what training came to: curvature, drift of features. Nothing inside `src` imports this file. */
export { linearCKA } from '../analysis/cka.ts';
export { Hessian, type HessianOptions } from '../analysis/hessian.ts';
