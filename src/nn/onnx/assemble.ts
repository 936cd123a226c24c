/** Puts a graph together: what a function calls, twice traced, with an input before it and outputs behind it. */
import { ArgumentError } from '../../errors.ts';
import type { TypedArray } from '../../tensor/dtype.ts';
import type { Engine } from '../../tensor/engine.ts';
import { type Shape, sameShape, show, sizeOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { AnyModule } from '../module.ts';
import { convert } from './convert.ts';
import { type OnnxPort, onnxBytes } from './file.ts';
import { Graph, type Numbers, type Value } from './graph.ts';
import { type Trace, traceOf } from './trace.ts';

/** What a file says beside its graph. */
export interface OnnxNotes {
  /** The graph's name; `model` by default. */
  readonly name?: string;
  /** For people; none by default. */
  readonly description?: string;
  /** For programs; none by default. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a graph is made of, and what goes in and comes out. */
export interface Assembly {
  readonly engine: Engine;
  /** What `forward` calls, by path. */
  readonly modules: readonly (readonly [string, AnyModule])[];
  /** One sample, channels last. */
  readonly input: Shape;
  readonly dtype?: 'f32' | 'i32';
  readonly forward: (batch: Tensor) => Tensor;
  /** Makes the graph's own input, and of it what `forward` takes: a batch of that shape. */
  before(graph: Graph, shape: Shape): { readonly port: OnnxPort; readonly value: Value };
  /** Makes the graph's outputs from what `forward` gives. */
  after(graph: Graph, output: Value): readonly OnnxPort[];
  readonly notes: OnnxNotes;
  /** Version of the engine, for the file. */
  readonly version: string;
}

/** @throws {ArgumentError} for one that is not of each sample: a file's output has the batch as its first axis. */
function checkOutput({ input, output }: Trace): void {
  if (output.shape[0] === input.shape[0]) return;
  throw new ArgumentError({
    where: 'exportOnnx',
    message: `the output, ${show(output.shape)} for ${input.shape[0]} samples, does not have the batch as its first axis.`,
    fix: 'Give something of each sample, and do the rest behind the exported graph.',
  });
}

/** Batches of two sizes and of two contents: what is the same for both does not follow from them. */
const BATCHES = [2, 3];

function sampleOf({ engine, input, dtype = 'f32' }: Assembly, batch: number): Tensor {
  const shape = [batch, ...input];
  const size = sizeOf(shape);
  if (dtype === 'i32')
    return engine.tensor(
      Int32Array.from({ length: size }, (_, i) => (i * batch) % 2),
      shape,
    );
  return engine.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(batch + 1.7 * i)),
    shape,
  );
}

/** Reads constants back; what several traces share is read once. */
class Reader {
  private readonly read = new Map<object, Promise<TypedArray>>();

  /** @param names of tensors by their buffers. */
  constructor(private readonly names: ReadonlyMap<object, string>) {}

  async numbersOf(constants: Iterable<Tensor>): Promise<Map<Tensor, Numbers>> {
    const entries = [...constants].map(async (tensor): Promise<[Tensor, Numbers]> => {
      const { storage, shape } = tensor;
      const data = this.read.get(storage) ?? tensor.data();
      this.read.set(storage, data);
      return [tensor, { name: this.names.get(storage) ?? '', shape, data: await data }];
    });
    return new Map(await Promise.all(entries));
  }
}

const sameNumbers = (a: Numbers, b: Numbers): boolean =>
  sameShape(a.shape, b.shape) && a.data.every((x, i) => Object.is(x, b.data[i]));

/**
 * Everything that both traces have to agree in.
 * @throws {ArgumentError} where what should be constant followed from the batch.
 */
function checkConstants(traces: readonly Trace[], numbers: readonly ReadonlyMap<Tensor, Numbers>[]): void {
  const [first = [], second = []] = traces.map(({ constants }) => [...constants]);
  const differ = first.find((constant, i) => {
    const other = second[i];
    if (!other || other.storage === constant.storage) return !other;
    return !sameNumbers(numbers[0]?.get(constant) as Numbers, numbers[1]?.get(other) as Numbers);
  });
  if (!differ && first.length === second.length) return;
  throw new ArgumentError({
    where: 'exportOnnx',
    message: `what is computed depends on the batch by an operation that is not known to ONNX${differ ? `: it gave ${show(differ.shape)}` : ''}.`,
    fix: 'Make tensors of fixed numbers outside of forward(), and leave out sorting, argmax, and what reads back.',
  });
}

/**
 * Traces, checks and writes.
 * @throws {ArgumentError} for what cannot be written in ONNX.
 */
export async function assemble(assembly: Assembly): Promise<Uint8Array<ArrayBuffer>> {
  const { engine, modules, forward, notes, version } = assembly;
  const names = new Map<object, string>();
  for (const [path, module] of modules) {
    for (const { name, tensor } of module.ownTensors()) {
      const key = tensor.storage;
      if (!names.has(key)) names.set(key, path === '' ? name : `${path}.${name}`);
    }
  }
  const traces: Trace[] = [];
  try {
    for (const batch of BATCHES) {
      traces.push(engine.scope(() => traceOf(engine, modules, sampleOf(assembly, batch), forward)));
    }
    const reader = new Reader(names);
    const numbers: Map<Tensor, Numbers>[] = [];
    for (const { constants } of traces) numbers.push(await reader.numbersOf(constants));
    checkConstants(traces, numbers);
    const graphs = traces.map((trace, i) => {
      checkOutput(trace);
      const graph = new Graph();
      const { port, value } = assembly.before(graph, trace.input.shape);
      const output = convert(graph, trace, value, (constant) => numbers[i]?.get(constant) as Numbers);
      return { graph, port, outputs: assembly.after(graph, output) };
    });
    const [whole, other] = graphs as [(typeof graphs)[number], (typeof graphs)[number]];
    if (JSON.stringify(whole.graph.nodes) !== JSON.stringify(other.graph.nodes)) {
      throw new ArgumentError({
        where: 'exportOnnx',
        message: 'the operations depend on how many samples there are: an exported graph takes any number.',
        fix: 'Let shapes follow from the sample alone, with -1 for the batch.',
      });
    }
    return onnxBytes({
      name: notes.name ?? 'model',
      producer: { name: 'engram', version },
      description: notes.description ?? '',
      metadata: notes.metadata ?? {},
      inputs: [whole.port],
      outputs: whole.outputs,
      nodes: whole.graph.nodes,
      constants: whole.graph.constants,
    });
  } finally {
    for (const trace of traces) trace.dispose();
  }
}
