/**
 * The ONNX model of the page Embed, a bank of filters for stripes: `Conv → Abs → AveragePool`, how much of each kind of stripes is
 * near a pixel. `record-stripes.ts` writes it to where the example has it.
 */

export const STRIPES_FILE = 'src/web/embed/examples/stripes.onnx';
const [SIDE, FILTERS, SIZE] = [64, 12, 5];

type Field = readonly [number, number | string | readonly number[]];

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)]);
/** A protobuf message by the numbers of its fields; those of ONNX are in its `onnx.proto`. */
const message = (...fields: readonly Field[]): number[] =>
  fields.flatMap(([field, value]) => {
    if (typeof value === 'number') return [...varint(8 * field), ...varint(value)];
    const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
    return [...varint(8 * field + 2), ...varint(bytes.length), ...bytes];
  });

/** NodeProto: inputs, an output, and attributes that are lists of integers. */
function node(op: string, inputs: readonly string[], output: string, attributes: Record<string, readonly number[]>) {
  const lists = Object.entries(attributes).map(
    ([name, all]): Field => [5, message([1, name], ...all.map((n): Field => [8, n]), [20, 7])],
  );
  return message(...inputs.map((name): Field => [1, name]), [2, output], [4, op], ...lists);
}

/** ValueInfoProto of float32. */
function value(name: string, shape: readonly number[]) {
  const sizes = message(...shape.map((size): Field => [1, message([1, size])]));
  return message([1, name], [2, message([1, message([1, 1], [2, sizes])])]);
}

/** Six directions of stripes, by a sine and by a cosine. */
function weights(): Float32Array {
  return Float32Array.from({ length: FILTERS * SIZE * SIZE }, (_, i) => {
    const [k, y, x] = [Math.floor(i / SIZE ** 2), (Math.floor(i / SIZE) % SIZE) - 2, (i % SIZE) - 2];
    const angle = (Math.PI * (k % 6)) / 6;
    const along = x * Math.cos(angle) + y * Math.sin(angle);
    return (Math.exp(-(x * x + y * y) / 6) * Math.sin(1.4 * along + (k < 6 ? 0 : Math.PI / 2))) / 4;
  });
}

export function stripesModel(): Uint8Array {
  const shape = [FILTERS, 1, SIZE, SIZE].map((n): Field => [1, n]);
  const bank = message(...shape, [2, 1], [8, 'bank'], [9, [...new Uint8Array(weights().buffer)]]);
  const graph = message(
    [1, node('Conv', ['picture', 'bank'], 'found', { pads: [2, 2, 2, 2] })],
    [1, node('Abs', ['found'], 'strength', {})],
    [1, node('AveragePool', ['strength'], 'features', { kernel_shape: [8, 8], pads: [3, 3, 3, 3], strides: [2, 2] })],
    [2, 'stripes'],
    [5, bank],
    [11, value('picture', [1, 1, SIDE, SIDE])],
    [12, value('features', [1, FILTERS, SIDE / 2, SIDE / 2])],
  );
  return Uint8Array.from(message([1, 8], [7, graph], [8, message([2, 13])]));
}
