/**
 * What training came to: the curvature of a loss and its landscape, the drift of features.
 * @module engram/analysis
 */
// Nothing inside `src` imports this file.
export { linearCKA } from '../analysis/cka.ts';
export { type ClassifierBlock, classifierBlocks } from '../analysis/classifier-blocks.ts';
export { type EigenvalueOptions, Hessian, type HessianOptions, type TraceOptions } from '../analysis/hessian.ts';
export { LinearProbe, type LinearProbeOptions } from '../analysis/linear-probe.ts';
export { type LandscapeProgress, LossLandscape, type LossLandscapeOptions } from '../analysis/loss-landscape.ts';
export type { LossParts } from '../analysis/loss-parts.ts';
export { innerProducts, minibatchCKA } from '../analysis/minibatch-cka.ts';
export { type AnalyseOptions, type Analysis, analyse } from '../analysis/run/analyse.ts';
export { AnalysedRun, type AnalysedRunOptions, type Stage } from '../analysis/run/analysed-run.ts';
export {
  ANALYSES,
  type AnalysisName,
  type AnalysisRecord,
  type AnalysisResults,
  parseAnalysis,
} from '../analysis/run/analysis-record.ts';
export type { LabelledImages } from '../analysis/run/training-subset.ts';
export {
  type AverageSharpnessOptions,
  averageSharpness,
  type WorstSharpnessOptions,
  worstSharpness,
} from '../analysis/sharpness.ts';
