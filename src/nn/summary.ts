/** What a model is made of: a table of its layers, with shapes, parameters and arithmetic. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { type Shape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { MultiheadAttention } from './attention.ts';
import { watchCalls } from './calls.ts';
import { ConvTranspose2d } from './conv-transpose2d.ts';
import { Conv1d } from './conv1d.ts';
import { CosineLinear } from './cosine-linear.ts';
import { Conv2d, Linear } from './layers.ts';
import type { AnyModule } from './module.ts';

/** A module of a model. */
export interface LayerSummary {
  /** Its path, as in state dicts; `''` for the model itself. */
  readonly name: string;
  /** Of its class. */
  readonly type: string;
  /** What it gave first; `null` where it was not called, or gave no tensor. */
  readonly outputShape: Shape | null;
  /** Values of its own that are trained, those of modules inside left out. */
  readonly parameters: number;
  /** Twice the multiply-adds of its own convolutions and products, of all calls; what else there is is left out, as papers leave it out. */
  readonly flops: number;
}

/** A model in figures; as text, a table. */
export interface ModelSummary {
  /** Every module once, in order of definition, those around others first. */
  readonly layers: readonly LayerSummary[];
  /** Values that are trained. */
  readonly parameters: number;
  /** Values that are kept but not trained, such as running statistics or frozen weights. */
  readonly buffers: number;
  /** Of one way through the model, for the inputs as they were given. */
  readonly flops: number;
  /** The table, a line a module. */
  toString(): string;
}

interface Call {
  readonly module: AnyModule;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
}

/** The tensor that a call gave, or the first one in what it gave. */
function tensorIn(output: unknown): Tensor | null {
  if (output instanceof Tensor) return output;
  if (typeof output !== 'object' || output === null) return null;
  return Object.values(output).find((value) => value instanceof Tensor) ?? null;
}

/** Twice the multiply-adds of a call, without those of modules inside. */
function flopsOf({ module, inputs, output }: Call): number {
  const result = tensorIn(output);
  if (!result) return 0;
  const each = (weights: number, outputs: number) => 2 * weights * (result.size / outputs);
  if (module instanceof Linear) return each(module.weight.size, module.outFeatures);
  if (module instanceof Conv2d || module instanceof Conv1d) {
    return each(module.weight.size, module.weight.shape.at(-1) as number);
  }
  if (module instanceof ConvTranspose2d) {
    const { size } = inputs[0] as Tensor;
    return 2 * module.weight.size * (size / (module.weight.shape[3] as number));
  }
  if (module instanceof CosineLinear) {
    return module.weights.reduce((total, { size }) => total + each(size, result.shape.at(-1) as number), 0);
  }
  if (module instanceof MultiheadAttention) {
    const [query, key = query, value = key] = inputs as [Tensor, Tensor?, Tensor?];
    const { features } = module;
    const projections = query.size + key.size + value.size;
    // Scores, and their sums of values.
    return 2 * features * (projections + 2 * (query.size / features) * (key.shape[1] as number));
  }
  return 0;
}

const count = (n: number): string => n.toLocaleString('en');

/** Large numbers in the units of arithmetic: 1.81 G. */
function scaled(n: number): string {
  const [unit, size] = (
    [
      ['T', 1e12],
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ] as const
  ).find(([, size]) => n >= size) ?? ['', 1];
  return unit === '' ? String(n) : `${(n / size).toPrecision(3)} ${unit}`;
}

function table({ layers, parameters, buffers, flops }: Omit<ModelSummary, 'toString'>): string {
  const head = ['layer', 'type', 'output', 'parameters', 'FLOPs'];
  const rows = layers.map(({ name, type, outputShape, parameters, flops }) => [
    name || '(model)',
    type,
    outputShape ? show(outputShape) : '–',
    parameters > 0 ? count(parameters) : '',
    flops > 0 ? scaled(flops) : '',
  ]);
  const total = ['', '', '', count(parameters), scaled(flops)];
  const widths = head.map((_, i) => Math.max(...[head, ...rows, total].map((row) => (row[i] as string).length)));
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => (i < 3 ? text.padEnd(widths[i] as number) : text.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  const kept = buffers > 0 ? [`and ${count(buffers)} values that are not trained`] : [];
  return [line(head), rule, ...rows.map(line), rule, line(total), ...kept].join('\n');
}

/**
 * Layers, output shapes, parameters and FLOPs of a model: it is run once, in inference and without gradients, on the tensors given, or
 * on zeros of the shapes given.
 * @param inputs what `forward` takes: a shape for f32 zeros, or a tensor, one for each input.
 * @throws {ArgumentError} when no input is given, and whatever `forward` throws.
 * @example console.log(`${summary(model, [1, 32, 32, 3])}`);
 */
export function summary(model: AnyModule, ...inputs: readonly (Shape | Tensor)[]): ModelSummary {
  if (inputs.length === 0) {
    throw new ArgumentError({
      where: 'summary',
      message: 'needs what the model takes.',
      fix: 'Give a shape or a tensor for each input: summary(model, [1, 32, 32, 3]).',
    });
  }
  const { engine } = model;
  const named = [...model.namedModules()];
  const shapes = new Map<AnyModule, Shape | null>();
  const flops = new Map<AnyModule, number>();
  const see = (call: Call) => {
    const { module } = call;
    if (!shapes.has(module)) shapes.set(module, tensorIn(call.output)?.shape ?? null);
    flops.set(module, (flops.get(module) ?? 0) + flopsOf(call));
  };
  noGrad(engine, () =>
    engine.scope(() => {
      const given = inputs.map((input) => (input instanceof Tensor ? input : engine.zeros(input)));
      watchCalls(
        named.map(([, module]) => module),
        { leave: (module, inputs, output) => see({ module, inputs, output }) },
        () => model.forward(...given),
      );
    }),
  );
  const seen = new Set<Tensor>();
  const layers = named.map(([name, module]) => {
    const own = [...module.ownTensors()].flatMap(({ tensor }) =>
      tensor.requiresGrad && !seen.has(tensor) ? tensor : [],
    );
    for (const tensor of own) seen.add(tensor);
    return {
      name,
      type: module.constructor.name,
      outputShape: shapes.get(module) ?? null,
      parameters: own.reduce((total, { size }) => total + size, 0),
      flops: flops.get(module) ?? 0,
    };
  });
  const sizes = (tensors: readonly { readonly tensor: Tensor }[]) =>
    tensors.reduce((n, { tensor }) => n + tensor.size, 0);
  const figures = {
    layers,
    parameters: sizes(model.namedParameters()),
    buffers: sizes(model.namedBuffers()),
    flops: layers.reduce((total, layer) => total + layer.flops, 0),
  };
  return { ...figures, toString: () => table(figures) };
}
