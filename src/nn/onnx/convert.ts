/** From what was called to the graph that does the same. */
import { ArgumentError } from '../../errors.ts';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import { show } from '../../tensor/shape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Graph, Input, Numbers, Value } from './graph.ts';
import { LAYERS } from './layers.ts';
import { OPERATIONS } from './operations.ts';
import type { Trace, TracedOperand, TracedOperation } from './trace.ts';

const isTraced = (operand: TracedOperand): operand is Exclude<TracedOperand, number | Tensor> =>
  typeof operand === 'object' && !(operand instanceof Tensor);

/** Operations that the output follows from, in order. */
function needed({ operations, output }: Trace): TracedOperation[] {
  const asked = new Set<DeviceBuffer>([output.buffer]);
  const kept: TracedOperation[] = [];
  for (const operation of operations.toReversed()) {
    if (!asked.has(operation.output.buffer)) continue;
    kept.push(operation);
    for (const operand of operation.operands) if (isTraced(operand)) asked.add(operand.buffer);
  }
  return kept.reverse();
}

/** A counterpart that does not exist, told by the layer that asks for it. */
const withoutCounterpart = ({ name, layer }: TracedOperation): ArgumentError =>
  new ArgumentError({
    where: 'exportOnnx',
    message: `${layer === '' ? 'the model' : `layer "${layer}"`} calls ${name}, which has no counterpart in ONNX here.`,
    fix: 'Put another operation in its place, or export the part of the model before it.',
  });

/**
 * Adds the operations of a trace to a graph.
 * @param input what stands for the trace's input there.
 * @param numbersOf a constant's numbers.
 * @returns what stands for its output.
 * @throws {ArgumentError} for an operation without a counterpart, and when the output does not follow from the input.
 */
export function convert(graph: Graph, trace: Trace, input: Value, numbersOf: (constant: Tensor) => Numbers): Value {
  const values = new Map<DeviceBuffer, Value>([[trace.input.buffer, input]]);
  const tracedValue = ({ buffer, shape }: Exclude<TracedOperand, number | Tensor>): Value => {
    const value = values.get(buffer);
    if (!value) {
      throw new ArgumentError({
        where: 'exportOnnx',
        message: `the output, ${show(shape)}, does not follow from the input by operations that are known to ONNX.`,
        fix: 'Give what the model computes before it, and do the rest behind the exported graph.',
      });
    }
    return graph.reshaped(value, shape);
  };
  const inputOf = (operand: TracedOperand): Input => {
    if (typeof operand === 'number') return operand;
    return operand instanceof Tensor ? numbersOf(operand) : tracedValue(operand);
  };
  for (const operation of needed(trace)) {
    const { name, layer, operands, output, options } = operation;
    const counterpart = LAYERS.get(name) ?? OPERATIONS.get(name);
    if (!counterpart) throw withoutCounterpart(operation);
    graph.layer = layer;
    values.set(output.buffer, counterpart({ graph, inputs: operands.map(inputOf), shape: output.shape, options }));
  }
  graph.layer = '';
  return tracedValue(trace.output);
}
