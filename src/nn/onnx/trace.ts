/** What a function makes of its input, as the list of operations that it calls. */
import { noGrad, type Operation, observed } from '../../autograd/tape.ts';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import type { Engine } from '../../tensor/engine.ts';
import type { Shape } from '../../tensor/shape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { watchCalls } from '../calls.ts';
import type { AnyModule } from '../module.ts';

/**
 * A tensor that follows from the input. Those of one buffer are one: operations that only see elements in another shape leave no
 * trace but their shape.
 */
export interface Traced {
  readonly buffer: DeviceBuffer;
  readonly shape: Shape;
}

/** What an operation takes: what follows from the input, what does not, or a number. */
export type TracedOperand = Traced | Tensor | number;

/** An operation whose output follows from the input. */
export interface TracedOperation {
  readonly name: string;
  /** Path of the module that called it. */
  readonly layer: string;
  readonly operands: readonly TracedOperand[];
  readonly output: Traced;
  readonly options: Readonly<Record<string, unknown>>;
}

/** All that was called. */
export interface Trace {
  readonly input: Traced;
  readonly output: Traced;
  /** In order. */
  readonly operations: readonly TracedOperation[];
  /** Tensors that do not follow from the input, and are asked for. */
  readonly constants: ReadonlySet<Tensor>;
  /** Frees what was kept of it. */
  dispose(): void;
}

/**
 * Calls `fn` with the modules in inference, and takes down what it does.
 * @param modules what it calls, by path: operations are named after them.
 */
export function traceOf(
  engine: Engine,
  modules: Iterable<readonly [string, AnyModule]>,
  input: Tensor,
  fn: (input: Tensor) => Tensor,
): Trace {
  const paths = new Map([...modules].map(([path, module]) => [module, path]));
  const within: string[] = [];
  const following = new Set<DeviceBuffer>();
  const kept: Tensor[] = [];
  const constants = new Map<DeviceBuffer, Tensor>();
  const operations: TracedOperation[] = [];
  // Buffers must not be given to others while the trace knows them by their identity.
  const keep = (tensor: Tensor): Tensor => {
    const view = engine.keep(Tensor.view(tensor, tensor.shape, 'onnx'));
    kept.push(view);
    return view;
  };
  const traced = (tensor: Tensor): Traced => ({ buffer: tensor.storage, shape: tensor.shape });
  const follow = (tensor: Tensor): Traced => {
    following.add(keep(tensor).storage);
    return traced(tensor);
  };
  const operandOf = (operand: Tensor | number): TracedOperand => {
    if (typeof operand === 'number') return operand;
    if (following.has(operand.storage)) return traced(operand);
    const known = constants.get(operand.storage);
    if (known && known.shape.join() === operand.shape.join()) return known;
    const constant = keep(operand);
    constants.set(constant.storage, constant);
    return constant;
  };
  const see = ({ name, inputs, output, options }: Operation) => {
    const { operands = inputs, ...rest } = options as { operands?: readonly (Tensor | number)[] };
    const follows = operands.some((operand) => operand instanceof Tensor && following.has(operand.storage));
    if (!follows || following.has(output.storage)) return;
    const taken = operands.map(operandOf);
    operations.push({ name, layer: within.at(-1) ?? '', operands: taken, output: follow(output), options: rest });
  };
  const dispose = () => {
    for (const tensor of kept) tensor.dispose();
  };
  const watcher = {
    enter: (module: AnyModule) => void within.push(paths.get(module) ?? ''),
    leave: () => void within.pop(),
  };
  try {
    const [from, to] = noGrad(engine, () =>
      engine.scope(() => {
        const from = follow(input);
        const output = watchCalls([...paths.keys()], watcher, () => observed(engine, see, () => fn(input)));
        return [from, follow(output)] as const;
      }),
    );
    const asked = operations.flatMap(({ operands }) => operands.filter((one): one is Tensor => one instanceof Tensor));
    return { input: from, output: to, operations, constants: new Set(asked), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
