// import lib/nonfinite.wgsl
// import lib/row-teams.wgsl

// Softmax and log-softmax over rows, forward and gradient. NaN anywhere in a row makes all of it NaN, and so do +∞ and nothing
// but −∞; next to finite numbers −∞ has the probability 0.
//
// Injected: LOG (log-softmax instead of softmax), S (how elements are stored: f32 or f16), SIZE, WIDTH, JOINED.

struct Params {
  rows: u32,
  n: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<S>;    // x; in the gradient y
@group(0) @binding(1) var<storage, read> gradient: array<S>; // dy
@group(0) @binding(2) var<storage, read_write> output: array<S>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(SIZE)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row_of(group.y * groups.x + group.x, index, params.rows, params.n, params.inner);
  var largest = -3.4028234e38;
  for (var i = row.lane; i < row.count; i += WIDTH) {
    largest = max(largest, f32(input[row.first + i * row.step]));
  }
  largest = team_max(index, largest);
  var total = 0.0;
  for (var i = row.lane; i < row.count;) {
    var near = 0.0;
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      near += safe_exp(f32(input[row.first + i * row.step]) - largest);
    }
    total += near;
  }
  total = team_sum(index, total);
  let log_total = safe_log(total);
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let at = row.first + i * row.step;
    let shifted = f32(input[at]) - largest;
    if (LOG) {
      output[at] = S(shifted - log_total);
    } else {
      output[at] = S(safe_exp(shifted) / total);
    }
  }
}

@compute @workgroup_size(SIZE)
fn backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row_of(group.y * groups.x + group.x, index, params.rows, params.n, params.inner);
  var total = 0.0;
  for (var i = row.lane; i < row.count;) {
    var near = 0.0;
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      let at = row.first + i * row.step;
      let dy = f32(gradient[at]);
      near += select(dy * f32(input[at]), dy, LOG);
    }
    total += near;
  }
  total = team_sum(index, total);
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let at = row.first + i * row.step;
    let y = f32(input[at]);
    let dy = f32(gradient[at]);
    if (LOG) {
      output[at] = S(dy - safe_exp(y) * total);
    } else {
      output[at] = S(y * (dy - total));
    }
  }
}
