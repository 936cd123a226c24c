/** Models whose files ONNX Runtime is to make the same of. */
import * as assert from 'uvu/assert';
import { exportOnnx } from '../../src/entries/onnx.ts';
import type { Module, Tensor } from '../../src/index.ts';
import * as engram from '../../src/index.ts';
import { Random } from '../../src/tensor/random.ts';
import { engine } from './engine.ts';
import { type OnnxTensor, runOnnx } from './onnx-runtime.ts';

const random = Random.of(7, 'onnx');
export const normal = (size: number, scale = 1) => Float32Array.from({ length: size }, () => scale * random.normal());
export type Shape = readonly number[];
const sizeOf = (shape: Shape) => shape.reduce((a: number, b: number) => a * b, 1);

/** Statistics as training leaves them: those of a new network would hide a mistake. */
export function trained<M extends Module>(model: M): M {
  for (const { name, tensor } of model.namedTensors()) {
    if (tensor.rank !== 1) continue;
    const values = normal(tensor.size, 0.2);
    const own = name.endsWith('var') || name.endsWith('weight') ? values.map((x) => Math.exp(x)) : values;
    engine.write(tensor.storage, own);
  }
  return model;
}

export function isNear(actual: OnnxTensor | undefined, expected: ArrayLike<number>): void {
  const worst = Math.max(...Array.from(expected, (value, i) => Math.abs(value - (actual!.data[i] as number))));
  assert.ok(worst < 1e-5, `${worst}`);
}

/** [n, h, w, c] as [n, c, h, w]. */
const channelsFirst = (x: Tensor) => (x.rank === 4 ? x.transpose([0, 3, 1, 2]) : x);

/** The largest difference between what the engine and ONNX Runtime make of batches of two sizes, in the outputs' own scale. */
export async function difference(model: Module, input: Shape): Promise<number> {
  const file = await exportOnnx(model, { input });
  let worst = 0;
  for (const batch of [1, 5]) {
    const x = engine.tensor(normal(batch * sizeOf(input)), [batch, ...input]);
    model.eval();
    const y = channelsFirst(engram.noGrad(engine, () => model.forward(x)));
    const { output } = await runOnnx(file, { data: await channelsFirst(x).data(), shape: channelsFirst(x).shape });
    assert.equal(output?.shape, y.shape);
    const expected = await y.data();
    const scale = Math.max(1, ...expected.map(Math.abs));
    expected.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - (output!.data[i] as number)) / scale);
    });
  }
  return worst;
}

/** A function in the place of a network. */
class Calls extends engram.Module {
  constructor(
    readonly parts: readonly engram.AnyModule[],
    private readonly fn: (x: Tensor, parts: readonly engram.AnyModule[]) => Tensor,
  ) {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    return this.fn(x, this.parts);
  }
}
export const calls = (
  fn: (x: Tensor, parts: readonly engram.AnyModule[]) => Tensor,
  ...parts: engram.AnyModule[]
): Module => trained(new Calls(parts, fn));
