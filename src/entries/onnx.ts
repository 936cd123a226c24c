/**
 * Models as ONNX files.
 * @module engram/onnx
 */
// Nothing inside `src` imports this file.
export { exportLearner } from '../continual/onnx-file.ts';
export type { OnnxNotes } from '../nn/onnx/assemble.ts';
export { type ExportOnnxOptions, exportOnnx } from '../nn/onnx/export.ts';
