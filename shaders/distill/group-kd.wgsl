// import distill/group-kd-tasks.wgsl

// Grouped softmax distillation over any list of groups: one workgroup has one sample and a chunk of the groups.
// The file that imports this one provides `chunk_loss`: distill/group-kd-listed.wgsl for lists, distill/group-kd-dense.wgsl for
// all sets.
//
// Injected: MASKS (0 every set in turn, 1 one list for all samples, 2 a list a sample),
//           WEIGHTS (0 uniform, 1 a group, 2 a sample and group, 3 from two numbers a task: Σ a / Σ b over the group),
//           BY_SIZE (all of these times a number for the group's number of tasks).

@group(0) @binding(2) var<storage, read> masks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> partials: array<vec2<f32>>;

struct Group {
  divergence: f32,
  delta: vec3<f32>, // δ of the whole group: (teacher.x − x) / T + y + z
  teacher: vec2<f32>, // the largest logit, and ln Σ e^{(z − largest)/T}
  student: vec2<f32>,
}

// One tile of groups, read by the threads as tasks.
const TILE = 64u;
var<workgroup> tile_mask: array<vec2<u32>, TILE>;
var<workgroup> tile_weight: array<f32, TILE>;
var<workgroup> tile_delta: array<vec3<f32>, TILE>;
var<workgroup> tile_teacher: array<vec2<f32>, TILE>;
var<workgroup> tile_student: array<vec2<f32>, TILE>;
var<workgroup> sum_share: array<f32, 64>;
var<workgroup> sum_change: array<f32, 64>;

fn mask_of(sample: u32, g: u32) -> vec2<u32> {
  if (MASKS == 0u) {
    return vec2<u32>(g + 1u, 0u);
  }
  if (MASKS == 1u) {
    return masks[g];
  }
  return masks[sample * params.groups + g];
}

fn size_factor(tasks: u32) -> f32 {
  return params.by_size[tasks / 4u][tasks % 4u];
}

fn weight_of(sample: u32, g: u32, mask: vec2<u32>) -> f32 {
  let weight = weight_of_any_size(sample, g, mask);
  if (BY_SIZE) {
    return weight * size_factor(countOneBits(mask.x) + countOneBits(mask.y));
  }
  return weight;
}

fn weight_of_any_size(sample: u32, g: u32, mask: vec2<u32>) -> f32 {
  if (WEIGHTS == 0u) {
    return params.weight;
  }
  if (WEIGHTS == 1u) {
    return weights[g];
  }
  if (WEIGHTS == 2u) {
    return weights[sample * params.groups + g];
  }
  var above = 0.0;
  var below = 0.0;
  for (var word = 0u; word < 2u; word++) {
    var bits = mask[word];
    while (bits != 0u) {
      let task = word * 32u + firstTrailingBit(bits);
      above += weights[task * 2u];
      below += weights[task * 2u + 1u];
      bits &= bits - 1u;
    }
  }
  return above / below;
}

// δ of one task minus δ of another.
fn delta_between(task: u32, other: u32) -> f32 {
  let T = params.temperature;
  let d = difference(top_z[task], reference[task], top_z[other], reference[other]) / T;
  let size = max(abs(d), max(abs(offset[task]), abs(offset[other])));
  let of_teacher = (top_z[task] - top_z[other]) / T;
  let of_student = (top_s[task] - top_s[other]) / T;
  let by_logs = (of_teacher - of_student) + ((log_p[task] - log_p[other]) - (log_q[task] - log_q[other]));
  let logs = max(max(log_p[task], log_p[other]), max(log_q[task], log_q[other]));
  return log_ratio(d + settled(offset[task] - offset[other]), size, by_logs, max(logs, max(abs(of_teacher), abs(of_student))));
}

fn group_loss(mask: vec2<u32>) -> Group {
  let T = params.temperature;
  var z_max = -3.4e38;
  var s_max = -3.4e38;
  var top = 0u; // the task of the teacher's largest logit: differences are relative to its own
  var s_top = 0u;
  for (var word = 0u; word < 2u; word++) {
    var bits = mask[word];
    while (bits != 0u) {
      let task = word * 32u + firstTrailingBit(bits);
      if (top_z[task] > z_max) {
        z_max = top_z[task];
        top = task;
      }
      if (top_s[task] > s_max) {
        s_max = top_s[task];
        s_top = task;
      }
      bits &= bits - 1u;
    }
  }
  // Relative to those two tasks, and without them, as within a task.
  var p_rest = 0.0;
  var q_rest = 0.0;
  var d_sum = 0.0;
  for (var word = 0u; word < 2u; word++) {
    var bits = mask[word];
    while (bits != 0u) {
      let task = word * 32u + firstTrailingBit(bits);
      let p = exp_((top_z[task] - z_max) / T + (log_p[task] - log_p[top]));
      let q = exp_((top_s[task] - s_max) / T + (log_q[task] - log_q[s_top]));
      p_rest += select(p, 0.0, task == top);
      q_rest += select(q, 0.0, task == s_top);
      d_sum += p * delta_between(task, top);
      bits &= bits - 1u;
    }
  }
  let lp = log_p[top] + log1p_(p_rest);
  let lq = log_q[s_top] + log1p_(q_rest);
  let d_mean = d_sum / (1.0 + p_rest);
  let plain = d_mean + (s_max - reference[top]) / T + (offset[top] - lp + lq);
  var psi = 0.0;
  var inner = 0.0; // Σ π κ
  for (var word = 0u; word < 2u; word++) {
    var bits = mask[word];
    while (bits != 0u) {
      let task = word * 32u + firstTrailingBit(bits);
      let share = exp_((top_z[task] - z_max) / T + (log_p[task] - lp));
      let log_rho = (top_s[task] - s_max) / T + (log_q[task] - lq);
      psi += psi_term(share, delta_between(task, top) - d_mean, log_rho, plain);
      inner += share * kappa[task];
      bits &= bits - 1u;
    }
  }
  let outer = select(plain, log1p_(psi), plain < 40.0);
  let s_away = (s_max - top_s[top]) / T;
  let by_logs = (log_p[top] - lp) - (log_q[top] - lq) + s_away;
  let rest = -log_ratio(outer - d_mean, max(abs(d_mean), outer), by_logs, max(s_away, max(lp, lq)));
  return Group(inner + outer, vec3<f32>(reference[top], offset[top], rest), vec2<f32>(z_max, lp), vec2<f32>(s_max, lq));
}

// Loss of some groups, and every task's part in them into sum_share and sum_change.
fn listed_loss(sample: u32, first: u32, last: u32, lane: u32) -> f32 {
  let T = params.temperature;
  for (var task = lane; task < params.tasks; task += LANES) {
    sum_share[task] = 0.0;
    sum_change[task] = 0.0;
  }
  var loss = 0.0;
  for (var tile = first; tile < last; tile += TILE) {
    let count = min(TILE, last - tile);
    for (var g = lane; g < count; g += LANES) {
      let mask = mask_of(sample, tile + g);
      let group = group_loss(mask);
      let weight = weight_of(sample, tile + g, mask);
      loss += weight * group.divergence;
      tile_mask[g] = mask;
      tile_weight[g] = weight;
      tile_delta[g] = group.delta;
      tile_teacher[g] = group.teacher;
      tile_student[g] = group.student;
    }
    workgroupBarrier();
    for (var task = lane; task < params.tasks; task += LANES) {
      // Sums of a tile first, then of the tiles: rounding grows with the length of each, not with that of both together.
      var share_sum = 0.0;
      var change_sum = 0.0;
      for (var g = 0u; g < count; g++) {
        if (((tile_mask[g][task / 32u] >> (task % 32u)) & 1u) != 0u) {
          let of_teacher = tile_teacher[g];
          let of_student = tile_student[g];
          let z_away = (of_teacher.x - top_z[task]) / T;
          let s_away = (of_student.x - top_s[task]) / T;
          let share = exp_((log_p[task] - of_teacher.y) - z_away);
          let log_rho = (log_q[task] - of_student.y) - s_away;
          let of_group = tile_delta[g];
          let d = difference(top_z[task], reference[task], of_teacher.x, of_group.x) / T;
          let size = max(max(abs(d), abs(offset[task])), max(abs(of_group.y), abs(of_group.z)));
          let by_logs = ((log_p[task] - of_teacher.y) - z_away) - log_rho;
          let log_size = max(max(z_away, s_away), max(of_teacher.y, of_student.y));
          let t = log_ratio(settled(d + settled(offset[task] - of_group.y)) - of_group.z, size, by_logs, log_size);
          share_sum += tile_weight[g] * share;
          change_sum += tile_weight[g] * share_change(share, t, log_rho);
        }
      }
      sum_share[task] += share_sum;
      sum_change[task] += change_sum;
    }
    workgroupBarrier();
  }
  part_d[lane] = loss;
  workgroupBarrier();
  return sum_of_parts() * params.loss_scale;
}

fn write_gradient(sample: u32, lane: u32) {
  let old = start_of(params.tasks);
  let is_bad = atomicLoad(&bad_logits) != 0u;
  for (var c = lane; c < params.student_row; c += LANES) {
    var value = 0.0;
    if (c < old) {
      let task = task_of(c);
      value = class_gradient(sample, c, task, sum_share[task], sum_change[task]);
      if (is_bad) {
        value = not_a_number();
      }
    }
    gradient[sample * params.student_row + c] = value;
  }
}

// The same for a whole workgroup.
fn sample_of(group: vec3<u32>) -> u32 {
  return group.z * params.across + group.x;
}

// Everything at once, for groups that fit one workgroup a sample.
@compute @workgroup_size(LANES)
fn fused(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = sample_of(group);
  if (sample >= params.samples) {
    return;
  }
  task_statistics(sample, lane);
  let loss = chunk_loss(sample, 0u, lane);
  if (lane == 0u) {
    losses[sample] = select(loss, not_a_number(), atomicLoad(&bad_logits) != 0u);
  }
  write_gradient(sample, lane);
}

// A chunk's loss alone.
@compute @workgroup_size(LANES)
fn losses_only(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = sample_of(group);
  if (sample >= params.samples) {
    return;
  }
  task_statistics(sample, lane);
  let first = group.y * params.chunk;
  let last = min(params.groups, first + params.chunk);
  var total = 0.0;
  for (var g = first + lane; g < last; g += LANES) {
    let mask = mask_of(sample, g);
    total += weight_of(sample, g, mask) * group_loss(mask).divergence;
  }
  part_d[lane] = total;
  workgroupBarrier();
  if (lane == 0u) {
    let loss = sum_of_parts() * params.loss_scale;
    losses[sample * params.chunks + group.y] = select(loss, not_a_number(), atomicLoad(&bad_logits) != 0u);
  }
}

// A chunk's loss and its sums for the gradient.
@compute @workgroup_size(LANES)
fn chunked(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = sample_of(group);
  if (sample >= params.samples) {
    return;
  }
  task_statistics(sample, lane);
  let loss = chunk_loss(sample, group.y, lane);
  let at = sample * params.chunks + group.y;
  if (lane == 0u) {
    losses[at] = select(loss, not_a_number(), atomicLoad(&bad_logits) != 0u);
  }
  for (var task = lane; task < params.tasks; task += LANES) {
    partials[at * params.tasks + task] = vec2<f32>(sum_share[task], sum_change[task]);
  }
}

// The gradient from all chunks' sums.
@compute @workgroup_size(LANES)
fn finish(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = sample_of(group);
  if (sample >= params.samples) {
    return;
  }
  task_statistics(sample, lane);
  for (var task = lane; task < params.tasks; task += LANES) {
    var total = vec2<f32>(0.0);
    for (var chunk = 0u; chunk < params.chunks; chunk++) {
      total += partials[(sample * params.chunks + chunk) * params.tasks + task];
    }
    sum_share[task] = total.x;
    sum_change[task] = total.y;
  }
  workgroupBarrier();
  write_gradient(sample, lane);
}

// KL of every group for every sample: [batch, groups].
@compute @workgroup_size(LANES)
fn each(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = sample_of(group);
  if (sample >= params.samples) {
    return;
  }
  task_statistics(sample, lane);
  let first = group.y * params.chunk;
  let last = min(params.groups, first + params.chunk);
  let is_bad = atomicLoad(&bad_logits) != 0u;
  for (var g = first + lane; g < last; g += LANES) {
    let value = group_loss(mask_of(sample, g)).divergence;
    losses[sample * params.groups + g] = select(value, not_a_number(), is_bad);
  }
}
