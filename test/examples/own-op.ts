/** An operation with kernels of its own: every row of x [rows, n] divided by its root mean square (RMSNorm without weights). */
import { record, Tensor, wgsl } from '../../src/index.ts';

const source = wgsl`
  struct Params { rows: u32, n: u32, eps: f32 }
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read> dy: array<f32>;
  @group(0) @binding(2) var<storage, read_write> output: array<f32>;
  @group(0) @binding(3) var<uniform> params: Params;

  @compute @workgroup_size(64) fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.rows) { return; }
    var squares = 0.0;
    for (var i = id.x * params.n; i < (id.x + 1u) * params.n; i++) { squares += x[i] * x[i]; }
    let scale = inverseSqrt(squares / f32(params.n) + params.eps);
    for (var i = id.x * params.n; i < (id.x + 1u) * params.n; i++) { output[i] = scale * x[i]; }
  }

  @compute @workgroup_size(64) fn backward(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.rows) { return; }
    var sums = vec2(0.0); // Σ x², Σ x·dy
    for (var i = id.x * params.n; i < (id.x + 1u) * params.n; i++) { sums += x[i] * vec2(x[i], dy[i]); }
    let scale = inverseSqrt(sums.x / f32(params.n) + params.eps);
    let slope = scale * scale * scale * sums.y / f32(params.n);
    for (var i = id.x * params.n; i < (id.x + 1u) * params.n; i++) { output[i] = scale * dy[i] - slope * x[i]; }
  }`;

export function rmsNorm(x: Tensor, eps = 1e-5): Tensor {
  const [rows = 1, n = 1] = x.shape;
  const run = (entry: string, ...inputs: Tensor[]): Tensor => {
    const output = Tensor.empty(x.engine, x.shape, 'f32', 'rmsNorm');
    const buffers = [...inputs, output].map((tensor) => tensor.storage);
    const kernel = { name: 'rms_norm', source, entry };
    x.engine.dispatch({ kernel, params: { rows, n, eps }, buffers, workgroups: [Math.ceil(rows / 64)] });
    return output;
  };
  return record(run('forward', x), 'rmsNorm', [x], (dy) => [run('backward', x, dy)]);
}
