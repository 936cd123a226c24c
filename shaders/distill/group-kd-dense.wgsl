// import distill/group-kd.wgsl

// Every non-empty set of up to 20 tasks, at a constant cost for each set of any size; provides `chunk_loss`.
//
// All sums of a set are sums over its tasks, so they split over the bits of its mask: the 3 low bits are an inner loop, the
// next ones the threads, the next an outer loop (15 bits up to here at most), and the rest workgroups. Both loops read
// tables. With weights A_i = e^{u_i} of the tasks (u: the teacher's ln Σ e^{z/T} relative to the largest), δ relative to the
// same task and P = Σ A, two forms give a set's divergence:
//   near: |δ| < ½. With Δ = Σ A (e^−δ − 1), H = Σ A (κ + ψ(δ)), y = Δ/P: H/P + ln(1 + y) − y. Nothing cancels.
//   far: with Q = Σ A e^−δ, N = Σ A (κ + δ): N/P + ln(Q/P). Where too much of this cancels, or where the range of the
//   tasks is too wide for common sums in float32, listed_loss does the chunk with more care and more time.
// Each set leaves w/P and w/Q (near: w/Q and y·w/Q) behind, added up by task: A_i Σ w/P is Σ w π_i, and so on.
//
// The number of tasks is a parameter, not a constant: it grows in training, and compiling takes longer than many steps.

const LOW_BITS = 3u;
const SETS = 8u; // 2^LOW_BITS
const MOST_LANE_BITS = firstTrailingBit(LANES);
const MOST_LOOP_BITS = 12u - MOST_LANE_BITS;
const MOST_LOOPS = 1u << MOST_LOOP_BITS;
// ln of the largest weight over the smallest.
const MOST_RANGE = 35.0;
const NEAR = 0.5;
// What may be left of a sum's magnitude: float32 leaves 1e-5 of that.
const LEAST_REST = 0.004;

fn lane_bits() -> u32 {
  return min(MOST_LANE_BITS, max(params.tasks, LOW_BITS) - LOW_BITS);
}

fn loop_bits() -> u32 {
  return min(MOST_LOOP_BITS, max(params.tasks, LOW_BITS + MOST_LANE_BITS) - LOW_BITS - MOST_LANE_BITS);
}

struct Terms {
  loss: f32,
  magnitude: f32,
  sums: vec2<f32>,
}

var<workgroup> task_terms: array<vec4<f32>, 64>; // near: A, Δ, H; far: A, Q, N
var<workgroup> task_weight: array<vec2<f32>, 64>;
var<workgroup> low_terms: array<vec4<f32>, 8>;
var<workgroup> low_weight: array<vec2<f32>, 8>;
var<workgroup> loop_terms: array<vec4<f32>, MOST_LOOPS>;
var<workgroup> loop_weight: array<vec2<f32>, MOST_LOOPS>;
// By thread: three low tasks, the total, then the loop's tasks.
const SUMS = LOW_BITS + 1u + MOST_LOOP_BITS;
var<workgroup> thread_sums: array<vec2<f32>, SUMS * LANES>;
// By the number of tasks of a set without the low ones: factors with none, one, two and three of these.
var<workgroup> size_factors: array<vec4<f32>, 21>;
var<workgroup> form: u32; // 0 near, 1 far, 2 by list

fn near_terms(t: vec4<f32>, w: f32) -> Terms {
  let q = t.x + t.y;
  let inverse = 1.0 / (t.x * q);
  let y = t.y * inverse * q;
  // ln(1 + y) = 2 atanh(s) and 2 s − y = −y s.
  let s = t.y / (t.x + q);
  let ss = s * s;
  let curve = s * (2.0 * ss * (0.33333334 + ss * (0.2 + ss * (0.14285715 + ss * (0.11111111 + ss * 0.09090909)))) - y);
  let by_q = w * t.x * inverse;
  return Terms(w * (t.z * inverse * q + curve), 0.0, vec2(by_q, y * by_q));
}

fn far_terms(t: vec4<f32>, w: f32) -> Terms {
  let inverse = 1.0 / (t.x * t.y);
  let by_p = inverse * t.y;
  let change = log_(t.y * by_p);
  return Terms(w * (t.z * by_p + change), w * abs(change), vec2(w * by_p, w * t.x * inverse));
}

// Sum of the terms of the tasks in a part of the mask.
fn terms_of(bits: u32, first_task: u32) -> vec4<f32> {
  var sum = vec4(0.0);
  var rest = bits;
  for (var task = first_task; rest != 0u; task++) {
    sum += select(vec4(0.0), task_terms[task], (rest & 1u) != 0u);
    rest >>= 1u;
  }
  return sum;
}

fn weight_terms_of(bits: u32, first_task: u32) -> vec2<f32> {
  var sum = vec2(0.0);
  var rest = bits;
  for (var task = first_task; rest != 0u; task++) {
    sum += select(vec2(0.0), task_weight[task], (rest & 1u) != 0u);
    rest >>= 1u;
  }
  return sum;
}

// Chooses the form, the same in every thread: 0 near, 1 far, 2 by list. Fills the tables.
fn prepare(chunk: u32, lane: u32) -> u32 {
  let T = params.temperature;
  var top = 0u;
  var s_max = top_s[0];
  for (var task = 1u; task < params.tasks; task++) {
    top = select(top, task, top_z[task] > top_z[top]);
    s_max = max(s_max, top_s[task]);
  }
  var farthest = 0.0;
  var lowest = 0.0;
  for (var task = 0u; task < params.tasks; task++) {
    farthest = max(farthest, abs(delta_between(task, top)));
    lowest = min(lowest, min((top_z[task] - top_z[top]) / T + log_p[task], (top_s[task] - s_max) / T + log_q[task]));
  }
  // A NaN from bad logits compares false: the careful form, whose result is replaced anyway.
  let chosen = select(2u, select(1u, 0u, farthest < NEAR), lowest > -MOST_RANGE && farthest < MOST_RANGE);
  for (var task = lane; task < params.tasks; task += LANES) {
    let a = (top_z[task] - top_z[top]) / T + log_p[task];
    let d = delta_between(task, top);
    let weight = exp_(a);
    let near = vec4(weight, weight * expm1_series(-d), weight * (kappa[task] + psi_series(d)), 0.0);
    let far = vec4(weight, exp_(a - d), weight * (kappa[task] + d), 0.0);
    task_terms[task] = select(far, near, chosen == 0u);
    if (WEIGHTS == 3u) {
      task_weight[task] = vec2(weights[task * 2u], weights[task * 2u + 1u]);
    }
  }
  if (lane == 0u) {
    form = chosen;
  }
  workgroupBarrier();
  let loop_first = LOW_BITS + lane_bits();
  let chunk_first = loop_first + loop_bits();
  for (var part = lane; part < (1u << loop_bits()); part += LANES) {
    loop_terms[part] = terms_of(part, loop_first) + terms_of(chunk, chunk_first);
    if (WEIGHTS == 3u) {
      loop_weight[part] = weight_terms_of(part, loop_first) + weight_terms_of(chunk, chunk_first);
    }
  }
  if (BY_SIZE) {
    for (var n = lane; n < 21u; n += LANES) {
      size_factors[n] = vec4(size_factor(n), size_factor(n + 1u), size_factor(n + 2u), size_factor(n + 3u));
    }
  }
  if (lane < SETS) {
    low_terms[lane] = terms_of(lane, 0u);
    if (WEIGHTS == 3u) {
      low_weight[lane] = weight_terms_of(lane, 0u);
    }
  }
  workgroupBarrier();
  return chosen;
}

fn set_weight(sample: u32, mask: u32, terms: vec2<f32>) -> f32 {
  if (WEIGHTS == 0u) {
    return params.weight;
  }
  if (WEIGHTS == 1u) {
    return weights[mask - 1u];
  }
  if (WEIGHTS == 2u) {
    return weights[sample * params.groups + mask - 1u];
  }
  return terms.x / terms.y;
}

// A thread's part of a chunk: its loss and the magnitude of that; its sums by task go into thread_sums.
fn walk(sample: u32, chunk: u32, lane: u32, is_near: bool) -> vec2<f32> {
  var loss = 0.0;
  var magnitude = 0.0;
  var low0 = vec2(0.0);
  var low1 = vec2(0.0);
  var low2 = vec2(0.0);
  var by_loop = array<vec2<f32>, MOST_LOOP_BITS>();
  var total = vec2(0.0);
  let chunk_first = LOW_BITS + lane_bits() + loop_bits();
  let loop_first = LOW_BITS + lane_bits();
  if (lane < (1u << lane_bits())) {
    let of_lane = terms_of(lane, LOW_BITS);
    var lane_weight = vec2(0.0);
    if (WEIGHTS == 3u) {
      lane_weight = weight_terms_of(lane, LOW_BITS);
    }
    for (var h = 0u; h < (1u << loop_bits()); h++) {
      let rest = of_lane + loop_terms[h];
      var rest_weight = vec2(0.0);
      if (WEIGHTS == 3u) {
        rest_weight = lane_weight + loop_weight[h];
      }
      let first = (lane << LOW_BITS) | (h << loop_first) | (chunk << chunk_first);
      var factors = vec4(1.0);
      if (BY_SIZE) {
        factors = size_factors[countOneBits(first)];
      }
      var all = vec2(0.0);
      var step_loss = 0.0;
      var step_magnitude = 0.0;
      for (var j = 0u; j < SETS; j++) {
        // No group: the empty set, and sets of low tasks that do not exist. They weigh nothing; dividing by zero would.
        let is_group = (first | j) - 1u < params.groups;
        let t = select(vec4(1.0), rest + low_terms[j], is_group);
        var weight_terms = vec2(0.0);
        if (WEIGHTS == 3u) {
          weight_terms = rest_weight + low_weight[j];
        }
        let w = select(0.0, set_weight(sample, first | j, weight_terms) * factors[countOneBits(j)], is_group);
        var terms: Terms;
        if (is_near) {
          terms = near_terms(t, w);
        } else {
          terms = far_terms(t, w);
        }
        step_loss += terms.loss;
        step_magnitude += terms.magnitude;
        all += terms.sums;
        low0 += select(vec2(0.0), terms.sums, (j & 1u) != 0u);
        low1 += select(vec2(0.0), terms.sums, (j & 2u) != 0u);
        low2 += select(vec2(0.0), terms.sums, (j & 4u) != 0u);
      }
      loss += step_loss;
      magnitude += step_magnitude;
      total += all;
      for (var i = 0u; i < MOST_LOOP_BITS; i++) {
        by_loop[i] += select(vec2(0.0), all, ((h >> i) & 1u) != 0u);
      }
    }
  }
  thread_sums[lane] = low0;
  thread_sums[LANES + lane] = low1;
  thread_sums[2u * LANES + lane] = low2;
  thread_sums[LOW_BITS * LANES + lane] = total;
  for (var i = 0u; i < MOST_LOOP_BITS; i++) {
    thread_sums[(LOW_BITS + 1u + i) * LANES + lane] = by_loop[i];
  }
  return vec2(loss, magnitude);
}

// Both sums of one task over a chunk's sets.
fn sums_of(task: u32, chunk: u32) -> vec2<f32> {
  var row = LOW_BITS; // the threads' totals
  var lanes = 0u; // threads that count: those with this bit
  if (task < LOW_BITS) {
    row = task;
  } else if (task < LOW_BITS + lane_bits()) {
    lanes = 1u << (task - LOW_BITS);
  } else if (task < LOW_BITS + lane_bits() + loop_bits()) {
    row = task - lane_bits() + 1u;
  } else if (((chunk >> (task - LOW_BITS - lane_bits() - loop_bits())) & 1u) == 0u) {
    return vec2(0.0);
  }
  var sum = vec2(0.0);
  for (var lane = 0u; lane < (1u << lane_bits()); lane++) {
    if ((lane & lanes) == lanes) {
      sum += thread_sums[row * LANES + lane];
    }
  }
  return sum;
}

fn chunk_loss(sample: u32, chunk: u32, lane: u32) -> f32 {
  let chosen = prepare(chunk, lane);
  var part = vec2(0.0);
  if (chosen == 0u) {
    part = walk(sample, chunk, lane, true);
  } else if (chosen == 1u) {
    part = walk(sample, chunk, lane, false);
  }
  part_d[lane] = part.x;
  part_e[lane] = part.y;
  workgroupBarrier();
  let loss = sum_of_parts();
  if (lane == 0u) {
    var magnitude = 0.0;
    for (var i = 0u; i < LANES; i++) {
      magnitude += part_e[i];
    }
    if (loss < LEAST_REST * magnitude) {
      form = 2u;
    }
  }
  if (workgroupUniformLoad(&form) == 2u) {
    // Sets in the order of their masks, the first being 1.
    let span = 1u << (LOW_BITS + lane_bits() + loop_bits());
    return listed_loss(sample, max(chunk * span, 1u) - 1u, min(params.groups, (chunk + 1u) * span - 1u), lane);
  }
  for (var task = lane; task < params.tasks; task += LANES) {
    let sums = sums_of(task, chunk);
    let t = task_terms[task];
    if (chosen == 0u) {
      let change = t.y * sums.x - t.x * sums.y;
      sum_share[task] = (t.x + t.y) * sums.x - change;
      sum_change[task] = change;
    } else {
      sum_share[task] = t.x * sums.x;
      sum_change[task] = t.y * sums.y - t.x * sums.x;
    }
  }
  workgroupBarrier();
  return loss * params.loss_scale;
}
