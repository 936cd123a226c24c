/** The operations that ONNX has operators for, or that are put together from them. */
import type { Shape } from '../../tensor/shape.ts';
import { ELEMENTS } from './file.ts';
import { elementOf, type Graph, type Input, isValue, type Numbers, type Value } from './graph.ts';

/** An operation, as its counterpart is made from it. */
export interface Call {
  readonly graph: Graph;
  readonly inputs: readonly Input[];
  /** Of its output. */
  readonly shape: Shape;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Makes an operation's counterpart in the graph. */
export type Counterpart = (call: Call) => Value;

/** Names of inputs to the name of what is made of them. */
type Expression = (graph: Graph, ...names: string[]) => string;

const single =
  (operator: string, attributes: Parameters<Graph['call']>[2] = {}): Expression =>
  (graph, ...names) =>
    graph.call(operator, names, attributes);

/** Elementwise operations of numbers. */
const EXPRESSIONS: Readonly<Record<string, Expression>> = {
  neg: single('Neg'),
  abs: single('Abs'),
  sign: single('Sign'),
  exp: single('Exp'),
  expm1: (g, a) => g.call('Sub', [g.call('Exp', [a]), g.scalar(1)]),
  log: single('Log'),
  log1p: (g, a) => g.call('Log', [g.call('Add', [a, g.scalar(1)])]),
  sqrt: single('Sqrt'),
  rsqrt: (g, a) => g.call('Reciprocal', [g.call('Sqrt', [a])]),
  square: (g, a) => g.call('Mul', [a, a]),
  reciprocal: single('Reciprocal'),
  sin: single('Sin'),
  cos: single('Cos'),
  tanh: single('Tanh'),
  sigmoid: single('Sigmoid'),
  relu: single('Relu'),
  silu: (g, a) => g.call('Mul', [a, g.call('Sigmoid', [a])]),
  softplus: single('Softplus'),
  gelu: (g, a) => {
    const erf = g.call('Erf', [g.call('Mul', [a, g.scalar(Math.SQRT1_2)])]);
    return g.call('Mul', [g.call('Mul', [a, g.scalar(0.5)]), g.call('Add', [erf, g.scalar(1)])]);
  },
  geluTanh: (g, a) => {
    const cube = g.call('Mul', [g.call('Mul', [a, a]), g.call('Mul', [a, g.scalar(0.044715)])]);
    const inner = g.call('Mul', [g.call('Add', [a, cube]), g.scalar(Math.sqrt(2 / Math.PI))]);
    return g.call('Mul', [g.call('Mul', [a, g.scalar(0.5)]), g.call('Add', [g.call('Tanh', [inner]), g.scalar(1)])]);
  },
  erf: single('Erf'),
  floor: single('Floor'),
  ceil: single('Ceil'),
  round: single('Round'),
  add: single('Add'),
  sub: single('Sub'),
  mul: single('Mul'),
  div: single('Div'),
  pow: single('Pow'),
  maximum: single('Max'),
  minimum: single('Min'),
  clamp: (g, a, least, most) => g.call('Min', [g.call('Max', [a, least as string]), most as string]),
  leakyRelu: single('PRelu'),
  prelu: single('PRelu'),
  elu: (g, a, alpha) => {
    const below = g.call('Sub', [g.call('Exp', [g.call('Min', [a, g.scalar(0)])]), g.scalar(1)]);
    return g.call('Where', [g.call('Greater', [a, g.scalar(0)]), a, g.call('Mul', [below, alpha as string])]);
  },
  relu6: (g, a) => g.call('Clip', [a, g.scalar(0), g.scalar(6)]),
  selu: single('Selu'),
  hardSigmoid: single('HardSigmoid', { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  hardSwish: single('HardSwish'),
  mish: (g, a) => g.call('Mul', [a, g.call('Tanh', [g.call('Softplus', [a])])]),
  logSigmoid: (g, a) => g.call('Neg', [g.call('Softplus', [g.call('Neg', [a])])]),
};

/** Elementwise operations that say yes or no. */
const CONDITIONS: Readonly<Record<string, Expression>> = {
  equal: single('Equal'),
  notEqual: (g, a, b) => g.call('Not', [g.call('Equal', [a as string, b as string])]),
  less: single('Less'),
  lessEqual: single('LessOrEqual'),
  greater: single('Greater'),
  greaterEqual: single('GreaterOrEqual'),
  isNaN: single('IsNaN'),
  isFinite: (g, a) => g.call('Not', [g.call('Or', [g.call('IsNaN', [a]), g.call('IsInf', [a])])]),
};

/** Operations that take booleans. */
const LOGICAL: Readonly<Record<string, Expression>> = {
  logicalAnd: single('And'),
  logicalOr: single('Or'),
  logicalXor: single('Xor'),
  logicalNot: single('Not'),
};

/** ONNX compares booleans with booleans alone, and does not reckon with them: as numbers they are 0 and 1, as here. */
const asNumber = (graph: Graph, input: Input): Input => {
  if (!isValue(input) || input.element !== 'bool') return input;
  const cast = ([name]: readonly string[]) => graph.call('Cast', [name as string], { to: ELEMENTS.i32 });
  return graph.elementwise([input], input.shape, cast, { element: 'i32' });
};

/** ONNX's conditions are booleans: a number is one that is not 0, as here, where NaN is none either. */
const asCondition = (graph: Graph, input: Input): Input => {
  if (!isValue(input) || input.element === 'bool') return input;
  const { element, shape } = input;
  const isSet = ([name]: readonly string[]) =>
    graph.call('Not', [graph.call('Equal', [name as string, graph.scalar(0, element)])]);
  return graph.elementwise([input], shape, isSet, { element: 'bool' });
};

const counterparts = (
  expressions: Readonly<Record<string, Expression>>,
  { takes, ...given }: { readonly element?: Value['element']; readonly takes: 'numbers' | 'conditions' },
): [string, Counterpart][] =>
  Object.entries(expressions).map(([name, expression]) => [
    name,
    ({ graph, inputs, shape }) => {
      const as = takes === 'numbers' ? asNumber : asCondition;
      const taken = inputs.map((input) => as(graph, input));
      const conditions = takes === 'conditions' ? inputs.map((_, i) => i) : [];
      return graph.elementwise(taken, shape, (names) => expression(graph, ...names), { ...given, conditions });
    },
  ]);

/** An axis-wise operator, or one that only moves elements, on the channels-last form. */
const plain =
  (build: (call: Call, input: string) => string): Counterpart =>
  (call) => ({
    shape: call.shape,
    element: (call.inputs[0] as Value).element,
    last: build(call, call.graph.operand(call.inputs[0] as Input)),
  });

const keepsAxes = ({ inputs, shape }: Call): number => (shape.length === (inputs[0] as Value).shape.length ? 1 : 0);
const axesOf = ({ options }: Call): readonly number[] => options.axes as readonly number[];
/** Of numbers, which booleans are made first. */
const ofNumbers =
  (counterpart: Counterpart): Counterpart =>
  (call) =>
    counterpart({ ...call, inputs: call.inputs.map((input) => asNumber(call.graph, input)) });
const reduction = (operator: string): Counterpart =>
  ofNumbers(plain((call, x) => call.graph.call(operator, [x], { axes: axesOf(call), keepdims: keepsAxes(call) })));

/** Of `b`, with its last two axes the other way round. */
function turned(graph: Graph, input: Input, isTurned: boolean): string {
  const name = graph.operand(input);
  if (!isTurned) return name;
  const { length } = (input as Value | Numbers).shape;
  const perm = Array.from({ length }, (_, i) => (i < length - 2 ? i : 2 * length - 3 - i));
  return graph.call('Transpose', [name], { perm });
}

interface Box {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** Slices the axes that are not taken whole. */
function sliced({ graph, inputs, options }: Call, x: string): string {
  const { shape } = inputs[0] as Value;
  const boxes = options.boxes as readonly Box[];
  const cut = boxes.flatMap((box, axis) => (box.count === shape[axis] && box.step === 1 ? [] : [{ ...box, axis }]));
  if (cut.length === 0) return graph.call('Identity', [x]);
  // Where one walks backwards to the first element, the end is before all.
  const end = ({ start, count, step }: Box) => {
    const after = start + count * step;
    return after < 0 ? -0x7fffffff : after;
  };
  return graph.call('Slice', [
    x,
    graph.integers(cut.map(({ start }) => start)),
    graph.integers(cut.map(end)),
    graph.integers(cut.map(({ axis }) => axis)),
    graph.integers(cut.map(({ step }) => step)),
  ]);
}

/** By the operations' names. */
export const OPERATIONS: ReadonlyMap<string, Counterpart> = new Map<string, Counterpart>([
  ...counterparts(EXPRESSIONS, { takes: 'numbers' }),
  ...counterparts(CONDITIONS, { element: 'bool', takes: 'numbers' }),
  ...counterparts(LOGICAL, { element: 'bool', takes: 'conditions' }),
  [
    'where',
    ({ graph, inputs, shape }) => {
      const taken = inputs.map((input, i) => (i === 0 ? asCondition : asNumber)(graph, input));
      return graph.elementwise(taken, shape, (names) => graph.call('Where', names), { conditions: [0] });
    },
  ],
  [
    'cast',
    ({ graph, inputs, shape, options }) => {
      const [input] = inputs as [Value];
      // f16 is a matter of storage here: the graph is f32 throughout. What is u32 is 0 or 1, or counts.
      const element = options.dtype === 'f32' || options.dtype === 'f16' ? 'f32' : 'i32';
      if (input.element === element) return input;
      return graph.elementwise(inputs, shape, (names) => graph.call('Cast', names, { to: ELEMENTS[element] }), {
        element,
      });
    },
  ],
  ['transpose', plain(({ graph, options }, x) => graph.call('Transpose', [x], { perm: options.order as number[] }))],
  ['slice', plain(sliced)],
  [
    'pad',
    plain(({ graph, inputs, options }, x) => {
      const padding = options.padding as readonly (readonly [number, number])[];
      const pads = [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
      return graph.call('Pad', [x, graph.integers(pads), graph.scalar(options.value as number, elementOf(inputs))]);
    }),
  ],
  [
    'concat',
    ({ graph, inputs, shape, options }) => {
      // What was compared is alike among itself, and a number beside masks of numbers.
      const isMixed = new Set(inputs.map((input) => elementOf([input]))).size > 1;
      const taken = isMixed ? inputs.map((input) => asNumber(graph, input)) : inputs;
      const last = graph.call(
        'Concat',
        taken.map((input) => graph.operand(input)),
        { axis: options.axis as number },
      );
      return { shape, element: elementOf(taken), last };
    },
  ],
  [
    'sum',
    ofNumbers(
      plain((call, x) =>
        call.graph.call('ReduceSum', [x, call.graph.integers(axesOf(call))], { keepdims: keepsAxes(call) }),
      ),
    ),
  ],
  ['mean', reduction('ReduceMean')],
  ['max', reduction('ReduceMax')],
  ['min', reduction('ReduceMin')],
  ['prod', reduction('ReduceProd')],
  ['softmax', plain(({ graph, options }, x) => graph.call('Softmax', [x], { axis: options.axis as number }))],
  ['logSoftmax', plain(({ graph, options }, x) => graph.call('LogSoftmax', [x], { axis: options.axis as number }))],
  [
    'cumsum',
    ofNumbers(plain(({ graph, options }, x) => graph.call('CumSum', [x, graph.integers([options.axis as number])]))),
  ],
  [
    'matmul',
    ({ graph, inputs: [a, b], shape, options }) => {
      const { transposeA, transposeB } = options as { transposeA: boolean; transposeB: boolean };
      const factors = [turned(graph, a as Input, transposeA), turned(graph, b as Input, transposeB)];
      return { shape, element: 'f32', last: graph.call('MatMul', factors) };
    },
  ],
  [
    'gather',
    ({ graph, inputs: [x, index], shape, options }) => {
      const { axis } = options as { axis: number };
      const { shape: from } = x as Value | Numbers;
      const { shape: at } = index as Value | Numbers;
      const isShared = at.length === 1 && from.length !== 1;
      const last = graph.call(
        isShared ? 'Gather' : 'GatherElements',
        [graph.operand(x as Input), graph.operand(index as Input)],
        {
          axis,
        },
      );
      return { shape, element: elementOf([x as Input]), last };
    },
  ],
  [
    'cutHeads',
    plain(({ graph, inputs, shape, options }, x) => {
      const [, heads = 0, length = 0, depth = 0] = shape;
      const from = options.from as number;
      const all = (inputs[0] as Value).shape[2];
      const range = [from, from + heads * depth, 2].map((n) => graph.integers([n]));
      const own = all === heads * depth ? x : graph.call('Slice', [x, ...range]);
      const cut = graph.call('Reshape', [own, graph.integers([-1, length, heads, depth])]);
      return graph.call('Transpose', [cut], { perm: [0, 2, 1, 3] });
    }),
  ],
  [
    'joinHeads',
    plain(({ graph, shape }, x) => {
      const moved = graph.call('Transpose', [x], { perm: [0, 2, 1, 3] });
      return graph.call('Reshape', [moved, graph.integers([-1, ...shape.slice(1)])]);
    }),
  ],
]);
