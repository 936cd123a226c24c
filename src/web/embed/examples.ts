/** The examples: what they are of, how they are loaded, and their sources as they stand. */
import onnx from './examples/onnx.ts?raw';
import plain from './examples/plain.ts?raw';
import three from './examples/three.ts?raw';
import typegpu from './examples/typegpu.ts?raw';
import type { Run } from './stage.ts';

export interface Example {
  /** Also its place in the page's address. */
  readonly id: string;
  readonly title: string;
  /** What happens, and what is shared. */
  readonly says: string;
  readonly source: string;
  /** What is fetched at the first start, beside the engine. */
  readonly fetches: string | null;
  load(): Promise<{ readonly run: Run }>;
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'plain',
    title: 'Plain WebGPU',
    says: 'Particles ask a network for their way to a heart while it learns it, by flow matching. The app’s kernel draws what is learnt from into its own buffers; the training step lies between its compute pass and its render pass, in one command buffer.',
    source: plain,
    fetches: null,
    load: () => import('./examples/plain.ts'),
  },
  {
    id: 'typegpu',
    title: 'TypeGPU',
    says: 'A function in TypeGPU paints a picture that never stays the same; a network learns it from colours at random places and paints what it knows. The small picture is the function’s. The root’s device is the engine’s, and its typed buffers are tensors.',
    source: typegpu,
    fetches: 'TypeGPU, 0.3 MB,',
    load: () => import('./examples/typegpu.ts'),
  },
  {
    id: 'three',
    title: 'three.js',
    says: 'A network learns how far the surface of a body is in each direction, and every few seconds the body is another. Its answers go to the vertex buffer of a mesh in three.js’s WebGPURenderer, which has the same device, by a copy on the GPU.',
    source: three,
    fetches: 'three.js, 0.8 MB,',
    load: () => import('./examples/three.ts'),
  },
  {
    id: 'onnx',
    title: 'ONNX Runtime',
    says: 'An ONNX model that stays as it is filters a picture of stripes, and a head learns from its output where the discs of other stripes are. ONNX Runtime’s session is given the engine’s device, and its output is a tensor of the engine where it lies.',
    source: onnx,
    fetches: 'ONNX Runtime, 27 MB of WebAssembly,',
    load: () => import('./examples/onnx.ts'),
  },
];
