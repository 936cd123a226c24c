// Softmax cross entropy with integer targets and label smoothing, over logits [rows, n].
// The forward keeps the row's maximum and the logarithm of its sum apart (their sum would round away the digits of large
// logits); the gradient is then one pass. Rows whose target is out of range count for
// nothing: they are the ones to ignore.
//
// Injected: SIZE (threads of a workgroup), WIDTH (of these, threads that share a row: a power of two; with one there is no
// barrier, which a CPU likes).
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
@group(0) @binding(4) var<uniform> params: Params;

@group(0) @binding(2) var<storage, read> kept_lse: array<vec2<f32>>; // gradient: [rows]
@group(0) @binding(3) var<storage, read> gradient: array<f32>;       // gradient: of the loss, [rows] or [1]
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(5) var<uniform> backward_params: BackwardParams;

struct BackwardParams {
  rows: u32,
  n: u32,
  smoothing: f32,
  scale: f32,
  per_row: u32, // the gradient has an entry for each row
}

var<workgroup> partial: array<vec2<f32>, SIZE>;

// The largest x and the sum of y over the threads of a row, in all of them.
fn shared_by_row(index: u32, value: vec2<f32>) -> vec2<f32> {
  if (WIDTH == 1u) {
    return value;
  }
  let lane = index % WIDTH;
  partial[index] = value;
  workgroupBarrier();
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      let other = partial[index + half];
      partial[index] = vec2(max(partial[index].x, other.x), partial[index].y + other.y);
    }
    workgroupBarrier();
  }
  let result = partial[index - lane];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(SIZE)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let wanted = (group.y * groups.x + group.x) * (SIZE / WIDTH) + index / WIDTH;
  let row = min(wanted, params.rows - 1u);
  let lane = index % WIDTH;
  let base = row * params.n;
  var largest = -3.4028234e38;
  for (var i = lane; i < params.n; i += WIDTH) {
    largest = max(largest, logits[base + i]);
  }
  largest = shared_by_row(index, vec2(largest, 0.0)).x;
  var exponentials = 0.0; // Σ exp(x − max)
  var differences = 0.0; // Σ (x − max)
  for (var i = lane; i < params.n; i += WIDTH) {
    let shifted = logits[base + i] - largest;
    exponentials += exp(shifted);
    differences += shifted;
  }
  exponentials = shared_by_row(index, vec2(0.0, exponentials)).y;
  differences = shared_by_row(index, vec2(0.0, differences)).y;
  if (lane == 0u && wanted == row) {
    let log_sum = log(exponentials);
    let target_class = targets[row];
    var loss = 0.0;
    if (target_class >= 0 && target_class < i32(params.n)) {
      let own = log_sum - (logits[base + u32(target_class)] - largest);
      loss = params.scale * own;
      // Apart, so that a class masked by a logit of −∞ costs nothing when nothing is smoothed.
      if (params.smoothing > 0.0) {
        let even = log_sum - differences / f32(params.n);
        loss += params.scale * params.smoothing * (even - own);
      }
    }
    losses[row] = loss;
    lse[row] = vec2(largest, log_sum);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let p = backward_params;
  let at = id.y * groups.x * 64u + id.x;
  if (at >= p.rows * p.n) {
    return;
  }
  let row = at / p.n;
  let target_class = targets[row];
  if (target_class < 0 || target_class >= i32(p.n)) {
    dlogits[at] = 0.0;
    return;
  }
  let hit = select(0.0, 1.0 - p.smoothing, u32(target_class) == at % p.n);
  let kept = kept_lse[row];
  let probability = exp((logits[at] - kept.x) - kept.y);
  dlogits[at] = gradient[select(0u, row, p.per_row == 1u)] * p.scale * (probability - hit - p.smoothing / f32(p.n));
}
