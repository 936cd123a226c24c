// Softmax and log-softmax over rows [rows, n], forward and gradient. One workgroup a row.
//
// Injected: LOG (log-softmax instead of softmax).

struct Params {
  rows: u32,
  n: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;    // x; in the gradient y
@group(0) @binding(1) var<storage, read> gradient: array<f32>; // dy
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const WIDTH = 64u;
var<workgroup> partial: array<f32, WIDTH>;

fn reduce_max(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = max(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  let result = partial[0];
  workgroupBarrier();
  return result;
}

fn reduce_sum(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  let result = partial[0];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = min(group.y * groups.x + group.x, params.rows - 1u);
  let base = row * params.n;
  var largest = -3.4028234e38;
  for (var i = lane; i < params.n; i += WIDTH) {
    largest = max(largest, input[base + i]);
  }
  largest = reduce_max(lane, largest);
  var total = 0.0;
  for (var i = lane; i < params.n; i += WIDTH) {
    total += exp(input[base + i] - largest);
  }
  total = reduce_sum(lane, total);
  let log_total = log(total);
  for (var i = lane; i < params.n; i += WIDTH) {
    let shifted = input[base + i] - largest;
    if (LOG) {
      output[base + i] = shifted - log_total;
    } else {
      output[base + i] = exp(shifted) / total;
    }
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = min(group.y * groups.x + group.x, params.rows - 1u);
  let base = row * params.n;
  var total = 0.0;
  for (var i = lane; i < params.n; i += WIDTH) {
    let dy = gradient[base + i];
    if (LOG) {
      total += dy;
    } else {
      total += dy * input[base + i];
    }
  }
  total = reduce_sum(lane, total);
  for (var i = lane; i < params.n; i += WIDTH) {
    let y = input[base + i];
    let dy = gradient[base + i];
    if (LOG) {
      output[base + i] = dy - exp(y) * total;
    } else {
      output[base + i] = y * (dy - total);
    }
  }
}
