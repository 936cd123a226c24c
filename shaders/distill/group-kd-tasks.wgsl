// import distill/group-kd-math.wgsl

// What every distillation kernel shares: a workgroup has one sample, reduces each task's logits to a few numbers, and in the
// end turns two sums a task into the gradient of the task's classes. Derived in src/distill/README.md.
//
// Injected: LANES, threads a workgroup: 64, or 8 where barriers are expensive (lavapipe runs 8 threads at once).
//
// With p, q the softmax of z/T (teacher) and s/T (student) over one task's classes and d = (z − s)/T:
//   κ = KL(p ‖ q) = ln Σ p e^{−(d − d̄)} with d̄ = Σ p d; since Σ p (d − d̄) = 0, that is ln(1 + Σ p ψ(d − d̄)) with
//   ψ(x) = e^{−x} − 1 + x ≥ 0: a sum without cancellation, however close student and teacher are.
//   δ = ln Σ e^{z/T} − ln Σ e^{s/T} = d̄ − κ.
// A group is then a softmax over its tasks, each with teacher logit ln Σ e^{z/T}, student logit that minus δ, and cost κ.
// Differences d are taken relative to that of the teacher's largest class: where t = d − δ is small it stays exact.

struct Params {
  samples: u32,
  across: u32, // workgroups along x, a sample each; further samples are along z
  tasks: u32,
  lanes: u32, // threads a task in the first phase: LANES / tasks, 1 at least
  student_row: u32, // logits a sample
  teacher_row: u32,
  groups: u32,
  chunks: u32, // workgroups a sample
  chunk: u32, // groups a workgroup
  temperature: f32,
  weight: f32, // of every group, when uniform
  loss_scale: f32, // of every sample's loss
  gradient_scale: f32, // that over the temperature
  zero: u32, // always 0, which compilers do not know: see not_a_number(), sum_of_parts() and lib/settled.wgsl
  starts: array<vec4<u32>, 17>, // first class of each task, and the end of the last
  by_size: array<vec4<f32>, 17>, // factor of a group's weight, by its number of tasks
}

@group(0) @binding(0) var<storage, read> student: array<f32>;
@group(0) @binding(1) var<storage, read> teacher: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

const MOST_TASKS = 64u;
var<workgroup> top_z: array<f32, 64>; // the teacher's largest logit
var<workgroup> top_s: array<f32, 64>;
var<workgroup> log_p: array<f32, 64>; // ln Σ e^{(z − top_z)/T}
var<workgroup> log_q: array<f32, 64>;
var<workgroup> reference: array<f32, 64>; // the student's logit of the teacher's largest
var<workgroup> offset: array<f32, 64>; // δ = (top_z − reference) / T + offset
var<workgroup> kappa: array<f32, 64>;
var<workgroup> bad_logits: atomic<u32>;
var<workgroup> part_a: array<f32, LANES>;
var<workgroup> part_b: array<f32, LANES>;
var<workgroup> part_c: array<vec2<u32>, LANES>;
var<workgroup> part_d: array<f32, LANES>; // reusing one array needs more barriers, which take longer to compile
var<workgroup> part_e: array<f32, LANES>;
var<workgroup> part_f: array<f32, LANES>;

fn start_of(task: u32) -> u32 {
  return params.starts[task / 4u][task % 4u];
}

fn unknown_zero() -> u32 {
  return params.zero;
}

// WGSL refuses constant expressions that are not finite.
fn not_a_number() -> f32 {
  return bitcast<f32>(0x7fc00000u | params.zero);
}

// π ψ(x), the summand of κ, with π e^{−x} = ρ e^κ: `log_rho` is the student's own logarithm, `plain` is κ before this
// correction. Far below the largest logit ln π − x would lose what the student's own logits still hold.
fn psi_term(share: f32, x: f32, log_rho: f32, plain: f32) -> f32 {
  if (abs(x) < 0.5) {
    return share * psi_series(x);
  }
  return exp_(log_rho + plain) - share + share * x;
}

// Student's share minus teacher's, ρ − π, with t = ln(π/ρ).
fn share_change(share: f32, t: f32, log_rho: f32) -> f32 {
  if (abs(t) < 0.5) {
    return share * expm1_series(-t);
  }
  return exp_(log_rho) - share;
}

// (z − s) − (z_at − s_at), from the pair of differences that is smaller, and so is rounded less: with logits of thousands
// either model's own logits may lie close together, or both models' logits of a class.
fn difference(z: f32, s: f32, z_at: f32, s_at: f32) -> f32 {
  let by_class = max(abs(z - s), abs(z_at - s_at));
  let by_model = max(abs(z - z_at), abs(s - s_at));
  return select(
    settled(z - z_at) - settled(s - s_at),
    settled(z - s) - settled(z_at - s_at),
    by_class < by_model,
  );
}

// ln of a teacher's share over the student's, from the models' differences or from the two shares' logarithms, whichever
// rounds less: `size` and `log_size` are the largest of the numbers each was made of.
fn log_ratio(by_difference: f32, size: f32, by_logs: f32, log_size: f32) -> f32 {
  return select(by_difference, by_logs, size > 8.0 * log_size);
}

// Fills the arrays above for one sample, as many tasks at once as there are threads for.
fn task_statistics(sample: u32, lane: u32) {
  let together = LANES / params.lanes;
  for (var first_task = 0u; first_task < params.tasks; first_task += together) {
    statistics_of(sample, lane, first_task, together);
  }
}

// Several threads a task, joined by the first of them.
fn statistics_of(sample: u32, lane: u32, first_task: u32, together: u32) {
  let own = lane / params.lanes;
  let task = first_task + own;
  let turn = lane % params.lanes;
  let working = own < together && task < params.tasks;
  let first = lane - turn; // the task's first thread
  var begin = 0u;
  var end = 0u;
  if (working) {
    begin = start_of(task);
    end = start_of(task + 1u);
  }
  let z_row = sample * params.teacher_row;
  let s_row = sample * params.student_row;
  let T = params.temperature;

  var z_max = -3.4e38;
  var s_max = -3.4e38;
  var largest = vec2(begin); // where they are
  var finite = true;
  for (var c = begin + turn; c < end; c += params.lanes) {
    let z = teacher[z_row + c];
    let s = student[s_row + c];
    finite = finite && is_finite_bits(z) && is_finite_bits(s);
    if (z > z_max) {
      z_max = z;
      largest.x = c;
    }
    if (s > s_max) {
      s_max = s;
      largest.y = c;
    }
  }
  if (!finite) {
    atomicOr(&bad_logits, 1u);
  }
  part_a[lane] = z_max;
  part_b[lane] = s_max;
  part_c[lane] = largest;
  workgroupBarrier();
  if (working) {
    for (var i = first; i < first + params.lanes; i++) {
      // Threads that found the same value agree on the last one's place.
      if (part_a[i] >= z_max) {
        z_max = part_a[i];
        largest.x = part_c[i].x;
      }
      if (part_b[i] >= s_max) {
        s_max = part_b[i];
        largest.y = part_c[i].y;
      }
    }
  }
  let s_at = student[s_row + largest.x];

  // All but the largest: where that holds nearly everything, the logarithms of the sums are as exact as the rest.
  var p_rest = 0.0;
  var q_rest = 0.0;
  var d_sum = 0.0;
  for (var c = begin + turn; c < end; c += params.lanes) {
    let z = teacher[z_row + c];
    let s = student[s_row + c];
    let p = exp_((z - z_max) / T);
    p_rest += select(p, 0.0, c == largest.x);
    q_rest += select(exp_((s - s_max) / T), 0.0, c == largest.y);
    d_sum += p * (difference(z, s, z_max, s_at) / T);
  }
  part_d[lane] = p_rest;
  part_e[lane] = q_rest;
  part_f[lane] = d_sum;
  workgroupBarrier();
  p_rest = 0.0;
  q_rest = 0.0;
  d_sum = 0.0;
  if (working) {
    for (var i = first; i < first + params.lanes; i++) {
      p_rest += part_d[i];
      q_rest += part_e[i];
      d_sum += part_f[i];
    }
  }

  let lp = log1p_(p_rest);
  let lq = log1p_(q_rest);
  let d_mean = d_sum / (1.0 + p_rest);
  let plain = d_mean + (s_max - s_at) / T + (lq - lp);
  var psi = 0.0;
  for (var c = begin + turn; c < end; c += params.lanes) {
    let z = teacher[z_row + c];
    let s = student[s_row + c];
    psi += psi_term(exp_((z - z_max) / T - lp), difference(z, s, z_max, s_at) / T - d_mean, (s - s_max) / T - lq, plain);
  }
  part_a[lane] = psi;
  workgroupBarrier();
  if (working && turn == 0u) {
    psi = 0.0;
    for (var i = first; i < first + params.lanes; i++) {
      psi += part_a[i];
    }
    // Beyond e^40 the sum might overflow, and the plain difference is exact enough.
    let divergence = select(plain, log1p_(psi), plain < 40.0);
    top_z[task] = z_max;
    top_s[task] = s_max;
    log_p[task] = lp;
    log_q[task] = lq;
    kappa[task] = divergence;
    reference[task] = s_at;
    let size = max(abs(d_mean), divergence);
    offset[task] = -log_ratio(divergence - d_mean, size, (s_max - s_at) / T + (lq - lp), max((s_max - s_at) / T, max(lp, lq)));
  }
  workgroupBarrier();
}

// The task of a class, by bisection.
fn task_of(class_index: u32) -> u32 {
  var low = 0u;
  var high = params.tasks;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (start_of(middle) <= class_index) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// Gradient of one class, from Σ_S w π (`teacher_share`) and Σ_S w (ρ − π) (`change`) of its task:
// q ρ − p π summed over the groups, as (q − p) π + q (ρ − π).
fn class_gradient(sample: u32, class_index: u32, task: u32, teacher_share: f32, change: f32) -> f32 {
  let z = teacher[sample * params.teacher_row + class_index];
  let s = student[sample * params.student_row + class_index];
  let T = params.temperature;
  let log_share = (z - top_z[task]) / T - log_p[task];
  let log_rho = (s - top_s[task]) / T - log_q[task];
  let p = exp_(log_share);
  let d = difference(z, s, top_z[task], reference[task]) / T;
  let t = log_ratio(d - offset[task], max(abs(d), abs(offset[task])), log_share - log_rho, -min(log_share, log_rho));
  let q_minus_p = share_change(p, t, log_rho);
  return params.gradient_scale * (q_minus_p * teacher_share + (p + q_minus_p) * change);
}

// Sum of what the threads left in part_d, for one of them to take behind a barrier: eights first, which rounds less. A loop
// of unknown length is not unrolled, and compiles faster.
fn sum_of_parts() -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < LANES + params.zero; i += 8u) {
    sum += ((part_d[i] + part_d[i + 1u]) + (part_d[i + 2u] + part_d[i + 3u])) +
      ((part_d[i + 4u] + part_d[i + 5u]) + (part_d[i + 6u] + part_d[i + 7u]));
  }
  return sum;
}
