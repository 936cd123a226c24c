/**
 * The built-in methods as values, for learners that carry no others, and the losses and rules that published methods are made of.
 * @module engram/methods
 */
// Nothing inside `src` imports this file.
export { type LossTerms, sumOfTerms } from '../continual/loss-terms.ts';
export * from '../continual/methods/all.ts';
export { METHOD_NAMES, type MethodName, methods } from '../continual/methods/index.ts';
export { auxiliaryTargets } from '../continual/rules/auxiliary-targets.ts';
export {
  adjustedCrossEntropy,
  balancedDistillationLoss,
  classBalancedWeights,
} from '../continual/rules/balanced-distillation.ts';
export { BiasCorrection, correctBias } from '../continual/rules/bias-correction.ts';
export {
  type DarkExperience,
  type DarkExperienceOptions,
  darkExperienceLoss,
  logitReplayLoss,
} from '../continual/rules/dark-experience.ts';
export { lessForgetLoss, type MarginRankingOptions, marginRankingLoss } from '../continual/rules/less-forget.ts';
export { meanScores, nearestMean } from '../continual/rules/nearest-mean.ts';
export { podFlatLoss, podSpatialLoss } from '../continual/rules/pod.ts';
export { type ProxyNCAOptions, proxyNCALoss } from '../continual/rules/proxy-nca.ts';
export {
  separatedCrossEntropy,
  type TaskDistillationOptions,
  taskDistillationLoss,
} from '../continual/rules/separated-softmax.ts';
export { type SoftTargetOptions, softCrossEntropy, softTargetLoss } from '../continual/rules/soft-targets.ts';
export { herding, randomSelection } from '../continual/selection.ts';
export { type DecoupledKDOptions, decoupledKD, decoupledKDParts } from '../distill/decoupled-kd.ts';
export { CosineLinear, type CosineLinearOptions } from '../nn/cosine-linear.ts';
export { ProxyClassifier, type ProxyClassifierOptions } from '../nn/proxy-classifier.ts';
