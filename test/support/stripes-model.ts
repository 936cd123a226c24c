/**
 * The ONNX model of the page Embed, a bank of filters for stripes: `Conv → Abs → AveragePool`, how much of each kind of stripes is
 * near a pixel. `record-stripes.ts` writes it to where the example has it.
 */

import { type OnnxNode, onnxBytes } from '../../src/nn/onnx/file.ts';

export const STRIPES_FILE = 'src/web/embed/examples/stripes.onnx';
const [SIDE, FILTERS, SIZE] = [64, 12, 5];

const node = (
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({ operator, name: output, inputs, output, attributes });

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
  return onnxBytes({
    name: 'stripes',
    producer: { name: 'engram', version: '' },
    description: 'How much of each kind of stripes is near a pixel.',
    metadata: {},
    inputs: [{ name: 'picture', element: 'f32', shape: [1, 1, SIDE, SIDE] }],
    outputs: [{ name: 'features', element: 'f32', shape: [1, FILTERS, SIDE / 2, SIDE / 2] }],
    nodes: [
      node('Conv', ['picture', 'bank'], 'found', { pads: [2, 2, 2, 2] }),
      node('Abs', ['found'], 'strength'),
      node('AveragePool', ['strength'], 'features', { kernel_shape: [8, 8], pads: [3, 3, 3, 3], strides: [2, 2] }),
    ],
    constants: [
      { name: 'bank', element: 'f32', shape: [FILTERS, 1, SIZE, SIZE], data: new Uint8Array(weights().buffer) },
    ],
  });
}
