// import lib/philox.wgsl

// Random tensors and dropout from one counter-based stream: element i takes word i % 4 of counter i / 4, so results do
// not depend on the launch, and a gradient draws the same mask again instead of storing it.
//
// Injected: S (how elements are stored: f32, or f16 by dropout; its mask is the same).

struct Params {
  size: u32,
  row: u32, // threads along x
  a: f32,   // uniform: low; normal: mean; dropout: probability of dropping
  b: f32,   // uniform: high; normal: standard deviation; dropout: scale of what stays
}

@group(0) @binding(0) var<storage, read> state: array<u32>; // seed low, seed high, stream
@group(0) @binding(1) var<storage, read_write> output: array<S>;
@group(0) @binding(2) var<storage, read> input: array<S>;
@group(0) @binding(3) var<uniform> params: Params;

fn draw(block: u32) -> vec4<f32> {
  return to_uniform(philox(vec4(block, 0u, state[2], 0u), vec2(state[0], state[1])));
}

fn store(block: u32, values: vec4<f32>) {
  for (var k = 0u; k < 4u; k++) {
    let i = block * 4u + k;
    if (i < params.size) {
      output[i] = S(values[k]);
    }
  }
}

@compute @workgroup_size(64)
fn uniform_(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  store(block, params.a + (params.b - params.a) * draw(block));
}

// Box and Muller's pairs: (1 − u) keeps the logarithm finite.
@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  let u = draw(block);
  let radius = sqrt(-2.0 * log(vec2(1.0) - u.xz));
  let angle = 6.283185307179586 * u.yw;
  let values = vec4(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
  store(block, params.a + params.b * values);
}

@compute @workgroup_size(64)
fn dropout(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  let u = draw(block);
  for (var k = 0u; k < 4u; k++) {
    let i = block * 4u + k;
    if (i < params.size) {
      output[i] = S(select(0.0, f32(input[i]) * params.b, u[k] >= params.a));
    }
  }
}
