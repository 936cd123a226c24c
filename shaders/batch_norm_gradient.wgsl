// The gradient of batch norm, by the same walk as its forward pass (batch_norm.wgsl). With g the gradient that passed the
// ReLU, x̂ the normalised value and the means over the batch: dx = weight/deviation · (g − mean g − x̂ · mean(g x̂)).
//
// Injected: V, LANES as forward; RELU; BATCH (the statistics were the batch's own: they have a gradient); DRESIDUAL.

struct Params {
  rows: u32,
  columns: u32,
  chunks: u32,
  stride: u32,
  span: u32,
  step: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<V>;
@group(0) @binding(1) var<storage, read> output: array<V>;
@group(0) @binding(2) var<storage, read> input: array<V>;
@group(0) @binding(3) var<storage, read> statistics: array<V>;
// Σ g and Σ g·(x − mean) of each chunk: [chunks, 2, columns].
@group(0) @binding(4) var<storage, read_write> partial: array<V>;
@group(0) @binding(5) var<storage, read_write> dweight: array<V>;
@group(0) @binding(6) var<storage, read_write> dbias: array<V>;
// [a, b, c] × columns, where dx = a·g + b·(x − shift) + c.
@group(0) @binding(7) var<storage, read_write> coefficients: array<V>;
@group(0) @binding(8) var<storage, read_write> dx: array<V>;
@group(0) @binding(9) var<storage, read_write> dresidual: array<V>;
@group(0) @binding(10) var<uniform> params: Params;

fn count_of(chunk: u32) -> u32 {
  let first = chunk * params.stride;
  return (min(params.rows, first + params.span) - first + params.step - 1u) / params.step;
}

// What passes the ReLU.
fn passed(at: u32) -> V {
  if (RELU) {
    return select(V(0.0), dy[at], output[at] > V(0.0));
  }
  return dy[at];
}

@compute @workgroup_size(64)
fn partials(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x % params.columns;
  let chunk = id.x / params.columns;
  if (chunk >= params.chunks) {
    return;
  }
  let shift = statistics[column];
  let centre = statistics[params.columns + column];
  let count = count_of(chunk);
  var at = chunk * params.stride * params.columns + column;
  var plain = V(0.0);
  var weighted = V(0.0);
  for (var n = 0u; n < count; n++) {
    let g = passed(at);
    plain += g;
    weighted += g * ((input[at] - shift) - centre);
    at += params.step * params.columns;
  }
  partial[2u * chunk * params.columns + column] = plain;
  partial[(2u * chunk + 1u) * params.columns + column] = weighted;
}

var<workgroup> plain_sums: array<V, 64>;
var<workgroup> weighted_sums: array<V, 64>;

// LANES threads a column.
@compute @workgroup_size(64)
fn totals(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let own = group.x * (64u / LANES) + index / LANES;
  let column = min(own, params.columns - 1u);
  let lane = index % LANES;
  var plain = V(0.0);
  var weighted = V(0.0);
  for (var k = lane; k < params.chunks; k += LANES) {
    plain += partial[2u * k * params.columns + column];
    weighted += partial[(2u * k + 1u) * params.columns + column];
  }
  if (LANES > 1u) {
    plain_sums[index] = plain;
    weighted_sums[index] = weighted;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lane < half) {
        plain_sums[index] += plain_sums[index + half];
        weighted_sums[index] += weighted_sums[index + half];
      }
      workgroupBarrier();
    }
    plain = plain_sums[index];
    weighted = weighted_sums[index];
  }
  if (lane == 0u && own == column) {
    let centre = statistics[params.columns + column];
    let inverse = statistics[2u * params.columns + column];
    let scale = statistics[3u * params.columns + column];
    let dw = weighted * inverse;
    dweight[column] = dw;
    dbias[column] = plain;
    coefficients[column] = scale;
    if (BATCH) {
      let b = -scale * inverse * dw / f32(params.rows);
      coefficients[params.columns + column] = b;
      coefficients[2u * params.columns + column] = -scale * plain / f32(params.rows) - b * centre;
    }
  }
}

@compute @workgroup_size(64)
fn inputs(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x % params.columns;
  let chunk = id.x / params.columns;
  if (chunk >= params.chunks) {
    return;
  }
  let a = coefficients[column];
  var b = V(0.0);
  var c = V(0.0);
  if (BATCH) {
    b = coefficients[params.columns + column];
    c = coefficients[2u * params.columns + column];
  }
  let shift = statistics[column];
  let count = count_of(chunk);
  var at = chunk * params.stride * params.columns + column;
  for (var n = 0u; n < count; n++) {
    let g = passed(at);
    var value = a * g;
    if (BATCH) {
      value += b * (input[at] - shift) + c;
    }
    dx[at] = value;
    if (DRESIDUAL) {
      dresidual[at] = g;
    }
    at += params.step * params.columns;
  }
}
