/** A model as an ONNX file, for ONNX Runtime and all that reads it. */
import { version } from '../../../package.json';
import { ArgumentError } from '../../errors.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Module } from '../module.ts';
import { assemble, type OnnxNotes } from './assemble.ts';
import { TO_FIRST, type Value } from './graph.ts';

/** What {@link exportOnnx} may be told. */
export interface ExportOnnxOptions extends OnnxNotes {
  /** What one sample is, the batch left out: `[32, 32, 3]`. */
  readonly input: Shape;
  /** Of the input; `f32` by default, `i32` for what embeddings look up. */
  readonly dtype?: 'f32' | 'i32';
  /** Names of input and output, for those who run it; `input` and `output` by default. */
  readonly names?: { readonly input?: string; readonly output?: string };
  /**
   * Order of the axes of images, which are [n, h, w, c] here, in what goes into the graph and comes out of it: `channels-first`, as
   * PyTorch and most of ONNX's users have it (default), or `channels-last`.
   */
  readonly layout?: 'channels-first' | 'channels-last';
}

/** The name of the batch's dimension. */
const BATCH = 'batch';

const ordered = (sample: Shape, isFirst: boolean): Shape =>
  isFirst ? TO_FIRST.slice(1).map((axis) => sample[axis - 1] as number) : sample;

/**
 * A model in inference as an ONNX file (opset 17, f32), for batches of any size. It is run twice on made-up batches, and what it calls is
 * written down: a model of your own needs nothing special, but numbers that JavaScript computes from the input, or chooses a way by, are those
 * of these batches, as with PyTorch's tracing exporter; where the two batches disagree it is refused. Weights keep their names and, where
 * ONNX's operators want it so, PyTorch's layouts. f16 networks are written as f32.
 * @returns the bytes of the file.
 * @throws {ArgumentError} for operations without a counterpart in ONNX, naming the layer that calls them, for what follows from the size of
 * the batch, for an output whose first axis is not the batch, and for one name of input and output; and whatever `forward` throws.
 * @example await writeFile('model.onnx', await exportOnnx(model, { input: [32, 32, 3] }));
 */
export async function exportOnnx(model: Module, options: ExportOnnxOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { input, dtype = 'f32', names = {}, layout = 'channels-first', ...notes } = options;
  const { input: inputName = 'input', output: outputName = 'output' } = names;
  if (inputName === outputName) {
    throw new ArgumentError({
      where: 'exportOnnx',
      message: `input and output are both called "${inputName}".`,
      fix: 'Give names that differ.',
    });
  }
  const isFirst = (shape: Shape) => layout === 'channels-first' && shape.length === 4;
  return assemble({
    engine: model.engine,
    modules: [...model.namedModules()],
    input,
    dtype,
    version,
    notes,
    forward: (batch) => model.forward(batch),
    before(graph, shape) {
      // Before the weights, which may be called as they are.
      for (const port of [inputName, outputName]) graph.unique(port);
      const port = { name: inputName, element: dtype, shape: [BATCH, ...ordered(input, isFirst(shape))] };
      const value: Value = { shape, element: dtype, ...(isFirst(shape) ? { first: inputName } : { last: inputName }) };
      return { port, value };
    },
    after(graph, value) {
      const { shape } = value;
      graph.output(isFirst(shape) ? graph.first(value) : graph.last(value), outputName);
      const sizes = isFirst(shape) ? ordered(shape.slice(1), true) : shape.slice(1);
      return [{ name: outputName, element: value.element, shape: [BATCH, ...sizes] }];
    },
  });
}
