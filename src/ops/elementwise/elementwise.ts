/** Elementwise operations with broadcasting and gradients; `where` and `cast`, which take several dtypes. */
import { announce, type RecordedBackward, record } from '../../autograd/tape.ts';
import { ArgumentError, DTypeError } from '../../errors.ts';
import { type DType, isFloat } from '../../tensor/dtype.ts';
import { broadcastShapes, type Shape, sameShape, show } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { sum, sumTo } from '../reduce.ts';
import { reshape } from '../reshape.ts';
import { convert, launchElementwise, type Operand } from './elementwise-kernel.ts';
import { type ElementwiseOp, FLOATS } from './elementwise-op.ts';

/** The words of each expression. */
const words = new Map<string, ReadonlySet<string>>();

/** The operands that an expression mentions. */
function mentioned(expression: string, all: Readonly<Record<string, Operand>>): Record<string, Operand> {
  let own = words.get(expression);
  if (!own) {
    own = new Set(expression.match(/\w+/g));
    words.set(expression, own);
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => own.has(name)));
}

/**
 * An operation as a function: with broadcasting, f16, gradients, and numbers in the place of tensors. Those of the table are
 * made this way, and so can be your own.
 * @param name For errors and profiles.
 * @throws {ArgumentError} unless there is one gradient, or `null`, for each operand. The operation itself throws
 * ArgumentError for too few operands or no tensor among them, ShapeError when shapes do not broadcast, DTypeError for a dtype that
 * it does not take, a mix of dtypes or a number that the dtype does not hold, EngineMismatchError for tensors of several engines.
 * @example const cube = elementwise('cube', { operands: ['a'], forward: 'a * a * a', gradients: ['dy * 3.0 * a * a'] });
 */
export function elementwise<const Names extends ElementwiseOp['operands']>(
  name: string,
  op: ElementwiseOp & { readonly operands: Names },
): (...operands: { [K in keyof Names]: Operand }) => Tensor {
  if (op.gradients.length !== op.operands.length) {
    throw new ArgumentError({
      where: name,
      message: `has ${op.operands.length} operands and ${op.gradients.length} gradients.`,
      fix: 'Give one gradient for each operand, null for one without.',
    });
  }
  return (...operands) => apply(name, op, operands);
}

function apply(name: string, op: ElementwiseOp, given: readonly Operand[]): Tensor {
  const count = op.operands.length;
  if (given.length < count) {
    throw new ArgumentError({ where: name, message: `takes ${count} operands; was given ${given.length}.` });
  }
  // `list.map(unary.relu)` gives more.
  const values = given.length === count ? given : given.slice(0, count);
  const tensors = values.filter((v): v is Tensor => v instanceof Tensor);
  commonEngine(name, tensors);
  const dtype = tensors[0]?.dtype ?? 'f32';
  const allowed = op.dtypes ?? FLOATS;
  if (!allowed.includes(dtype) || tensors.some((t) => t.dtype !== dtype)) {
    const given = tensors.map((t) => `${t.dtype}${show(t.shape)}`).join(', ');
    throw new DTypeError({
      where: name,
      message: `takes operands of one dtype among ${allowed.join(', ')}; was given ${given}.`,
      fix: 'Convert with cast().',
    });
  }
  const shape = broadcastShapes(name, ...tensors.map((t) => t.shape));
  const operands: Record<string, Operand> = {};
  op.operands.forEach((operand, i) => {
    operands[operand] = values[i] as Operand;
  });
  const forward = isFloat(dtype) ? op.forward : (op.integers ?? op.forward);
  const y = launchElementwise(name, forward, operands, { shape, result: op.result ?? dtype });
  const options = { operands: values };
  if (!isFloat(dtype) || op.result) return announce(y, name, tensors, options);
  const backward = (dy: Tensor) => {
    const all = { ...operands, y, dy };
    let tensor = 0;
    const gradients: (Tensor | null)[] = [];
    values.forEach((value, i) => {
      if (!(value instanceof Tensor)) return;
      const input = tensors[tensor++] as Tensor;
      const expression = op.gradients[i];
      if (!expression || !input.requiresGrad) gradients.push(null);
      else if (expression === 'dy') gradients.push(sumTo(dy, input.shape));
      else {
        // A gradient that is summed up stays f32 until then.
        const type = sameShape(shape, input.shape) ? dtype : 'f32';
        const full = launchElementwise(`${name}.d${op.operands[i]}`, expression, mentioned(expression, all), {
          shape,
          result: type,
        });
        gradients.push(sumTo(full, input.shape, dtype));
      }
    });
    return gradients;
  };
  return record(y, name, tensors, backward, dtype === 'f32' ? recordedBackward(op, values, y) : undefined, options);
}

/** As {@link sumTo}, recorded. */
function recordedSumTo(gradient: Tensor, shape: Shape): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return reshape(sum(gradient, axes), shape);
}

function recordedBackward(
  { recorded }: ElementwiseOp,
  values: readonly Operand[],
  y: Tensor,
): RecordedBackward | undefined {
  if (!recorded) return undefined;
  const [a, b] = values as [Operand, Operand];
  return (dy) =>
    values.flatMap((value, i) => {
      if (!(value instanceof Tensor)) return [];
      const of = recorded[i];
      return [value.requiresGrad && of ? recordedSumTo(of({ a, b, y, dy }), value.shape) : null];
    });
}

/**
 * Elements of `a` where `condition` is not zero, of `b` elsewhere; all broadcast.
 * @param condition u32, as comparisons give it.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the condition is not u32, or `a` and `b` have different dtypes.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== 'u32') {
    throw new DTypeError({
      where: 'where',
      message: `the condition must be u32 (0 or 1), not ${condition.dtype}.`,
      fix: 'Use a comparison, for example x.greater(0).',
    });
  }
  const tensors = [a, b].filter((v): v is Tensor => v instanceof Tensor);
  const dtype = tensors[0]?.dtype ?? 'f32';
  if (tensors.some((t) => t.dtype !== dtype)) {
    throw new DTypeError({
      where: 'where',
      message: `both choices must have one dtype, not ${tensors.map((t) => t.dtype).join(' and ')}.`,
      fix: 'Convert with cast().',
    });
  }
  commonEngine('where', [condition, ...tensors]);
  const shape = broadcastShapes('where', condition.shape, ...tensors.map((t) => t.shape));
  const y = launchElementwise(
    'where',
    'select(b, a, condition != 0u)',
    { condition, a, b },
    { shape, result: dtype, numbers: dtype },
  );
  const choices = [
    [a, 'select(0.0, dy, condition != 0u)'],
    [b, 'select(dy, 0.0, condition != 0u)'],
  ] as const;
  const backward = (dy: Tensor) =>
    choices.flatMap(([choice, expression], i) => {
      if (!(choice instanceof Tensor)) return [];
      if (!choice.requiresGrad) return [null];
      const type = sameShape(shape, choice.shape) ? dtype : 'f32';
      const full = launchElementwise(`where.d${i}`, expression, { condition, dy }, { shape, result: type });
      return [sumTo(full, choice.shape, dtype)];
    });
  const recorded = (dy: Tensor) =>
    [where(condition, dy, 0), where(condition, 0, dy)].flatMap((chosen, i) => {
      const [choice] = choices[i] as (typeof choices)[number];
      if (!(choice instanceof Tensor)) return [];
      return [choice.requiresGrad ? recordedSumTo(chosen, choice.shape) : null];
    });
  return record(y, 'where', tensors, backward, dtype === 'f32' ? recorded : undefined, { operands: [condition, a, b] });
}

/**
 * The same values as another dtype; floats to integers truncate, and what f16 cannot hold becomes infinite. The gradient is
 * cast back; none passes through integers.
 * @throws {DTypeError} for f16 on a device without it.
 */
export function cast(a: Tensor, dtype: DType): Tensor {
  a.assertLive('cast');
  const y = convert(a, dtype);
  if (y === a) return y;
  const options = { dtype };
  if (!isFloat(dtype)) return announce(y, 'cast', [a], options);
  return record(y, 'cast', [a], (dy) => [convert(dy, a.dtype)], undefined, options);
}
