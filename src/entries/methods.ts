/**
 * `engram/methods`: the built-in methods as values, for learners that carry no others, and the losses and rules that published
 * methods are made of. Nothing inside `src` imports this file.
 */
export { bic } from '../continual/methods/bic.ts';
export { der } from '../continual/methods/der.ts';
export { derpp } from '../continual/methods/derpp.ts';
export { fdkd } from '../continual/methods/fdkd.ts';
export { finetune } from '../continual/methods/finetune.ts';
export { foster } from '../continual/methods/foster.ts';
export { icarl } from '../continual/methods/icarl.ts';
export { METHOD_NAMES, methods } from '../continual/methods/index.ts';
export { joint } from '../continual/methods/joint.ts';
export { kd } from '../continual/methods/kd.ts';
export { lucir } from '../continual/methods/lucir.ts';
export { lwf } from '../continual/methods/lwf.ts';
export { podnet } from '../continual/methods/podnet.ts';
export { rdkd } from '../continual/methods/rdkd.ts';
export { replay } from '../continual/methods/replay.ts';
export { ssil } from '../continual/methods/ssil.ts';
export { tkd } from '../continual/methods/tkd.ts';
export { wa } from '../continual/methods/wa.ts';
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
