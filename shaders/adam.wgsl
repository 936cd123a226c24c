// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), one thread a value, in place.
//
// Injected: DECOUPLED (AdamW: decay the parameter itself, not its gradient).

struct Params {
  size: u32,
  row: u32, // threads along x
}

// learning rate, weight decay, β1, β2, ε, 1 − β1ᵗ, √(1 − β2ᵗ), 1 − β1, 1 − β2 (in float32, 1 − 0.999 keeps five digits only)
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> square: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i >= params.size) {
    return;
  }
  var p = parameter[i];
  var g = gradient[i];
  if (DECOUPLED) {
    p -= rates[0] * rates[1] * p;
  } else {
    g += rates[1] * p;
  }
  let m = rates[2] * mean[i] + rates[7] * g;
  let v = rates[3] * square[i] + rates[8] * g * g;
  mean[i] = m;
  square[i] = v;
  parameter[i] = p - rates[0] * (m / rates[5]) / (sqrt(v) / rates[6] + rates[4]);
}
