/** `engram/testing`: what only tests of operations use. Nothing inside `src` imports this file. */
export { type GradcheckOptions, type GradcheckReport, gradcheck, type Reference64 } from '../autograd/gradcheck.ts';
