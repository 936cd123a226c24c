// import lib/nonfinite.wgsl
// import lib/row-teams.wgsl

// Softmax cross entropy with integer targets and label smoothing, over logits [rows, n].
// The forward keeps the row's maximum and the logarithm of its sum apart (their sum would round away the digits of large
// logits); the gradient is then one pass. Rows whose target is out of range count for nothing: they are the ones to
// ignore.
// A row with NaN costs NaN, and has it for a gradient.
//
// Injected: SIZE, WIDTH, JOINED, COUNTED (the scale is one over the number of rows that count; params.scale otherwise).
//
// loss_r = w_r · ((1 − ε)·(lse − x_target) + ε/n · Σ (lse − x_c)), w_r = scale for a counted row.

struct Params {
  rows: u32,
  n: u32,
  smoothing: f32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<i32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>; // [rows]
@group(0) @binding(3) var<storage, read_write> lse: array<vec2<f32>>; // [rows]: maximum, log Σ exp(x − maximum)
@group(0) @binding(4) var<storage, read> counted: array<f32>; // [1]
@group(0) @binding(5) var<uniform> params: Params;

@group(0) @binding(2) var<storage, read> kept_lse: array<vec2<f32>>; // gradient: [rows]
@group(0) @binding(3) var<storage, read> gradient: array<f32>;       // gradient: of the loss, [rows] or [1]
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(5) var<storage, read> backward_counted: array<f32>; // [1]
@group(0) @binding(6) var<uniform> backward_params: BackwardParams;

struct BackwardParams {
  rows: u32,
  n: u32,
  smoothing: f32,
  scale: f32,
  per_row: u32, // the gradient has an entry for each row
}

@compute @workgroup_size(SIZE)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row_of(group.y * groups.x + group.x, index, params.rows, params.n, 1u);
  var largest = -3.4028234e38;
  for (var i = row.lane; i < row.count; i += WIDTH) {
    largest = max(largest, logits[row.first + i]);
  }
  largest = team_max(index, largest);
  var exponentials = 0.0; // Σ exp(x − max)
  var differences = 0.0; // Σ (x − max)
  for (var i = row.lane; i < row.count;) {
    var near = vec2(0.0);
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      let shifted = logits[row.first + i] - largest;
      near += vec2(safe_exp(shifted), shifted);
    }
    exponentials += near.x;
    differences += near.y;
  }
  exponentials = team_sum(index, exponentials);
  differences = team_sum(index, differences);
  if (row.lane == 0u && row.count > 0u) {
    let log_sum = safe_log(exponentials);
    let target_class = targets[row.number];
    var scale = params.scale;
    var loss = 0.0;
    if (COUNTED) {
      scale = 1.0 / counted[0];
      // The mean of nothing.
      loss = select(0.0, not_a_number_of(log_sum), counted[0] == 0.0);
    }
    if (target_class >= 0 && target_class < i32(params.n)) {
      let own = log_sum - (logits[row.first + u32(target_class)] - largest);
      loss = scale * own;
      // Apart, so that a class masked by a logit of −∞ costs nothing when nothing is smoothed; where it is the target's own, all
      // is said, and ∞ − ∞ would be NaN.
      if (params.smoothing > 0.0 && is_finite(own)) {
        let even = log_sum - differences / f32(params.n);
        loss += scale * params.smoothing * (even - own);
      }
    }
    losses[row.number] = loss;
    lse[row.number] = vec2(largest, log_sum);
  }
}

@compute @workgroup_size(SIZE)
fn backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let p = backward_params;
  let row = row_of(group.y * groups.x + group.x, index, p.rows, p.n, 1u);
  let target_class = targets[row.number];
  let isCounted = target_class >= 0 && target_class < i32(p.n);
  let kept = kept_lse[row.number];
  var scale = p.scale;
  if (COUNTED) {
    scale = 1.0 / backward_counted[0];
  }
  scale *= gradient[select(0u, row.number, p.per_row == 1u)];
  let even = p.smoothing / f32(p.n);
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let at = row.first + i;
    let probability = safe_exp((logits[at] - kept.x) - kept.y);
    let hit = select(0.0, 1.0 - p.smoothing, i == u32(target_class));
    dlogits[at] = select(0.0, scale * (probability - hit - even), isCounted);
  }
}
