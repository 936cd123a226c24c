// import lib/logarithm.wgsl
// import lib/nonfinite.wgsl
// import lib/philox.wgsl
// import lib/turned.wgsl

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

// No tensor has 2³¹ elements.
fn unknown_zero() -> u32 {
  return params.size >> 31u;
}

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

// The number before x.
fn below(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  return select(bitcast<f32>(select(bits - 1u, bits + 1u, x < 0.0)), -0x1p-126f, x == 0.0);
}

@compute @workgroup_size(64)
fn uniform_(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  // What lies close to the end is rounded up to it.
  let most = max(params.a, below(params.b));
  store(block, min(params.a + (params.b - params.a) * draw(block), vec4(most)));
}

// Box and Muller's pair: (1 − u) keeps the logarithm finite, and fractions of a turn have exact quarters.
fn pair(u: vec2<f32>) -> vec2<f32> {
  let radius = sqrt(-2.0 * log_(1.0 - u.x));
  let quarters = round(4.0 * u.y);
  let r = (4.0 * u.y - quarters) * 1.5707963267948966;
  return radius * vec2(turned(r, u32(quarters) + 1u), turned(r, u32(quarters)));
}

@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  let u = draw(block);
  store(block, params.a + params.b * vec4(pair(u.xy), pair(u.zw)));
}

@compute @workgroup_size(64)
fn dropout(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.y * params.row + id.x;
  let u = draw(block);
  for (var k = 0u; k < 4u; k++) {
    let i = block * 4u + k;
    if (i < params.size) {
      let x = f32(input[i]);
      // As x · 0, which is NaN of what is not finite.
      let dropped = select(not_a_number_of(x), 0.0, is_finite(x));
      output[i] = S(select(dropped, x * params.b, u[k] >= params.a));
    }
  }
}
