// Σ_b u_b Σ_g w_g ℓ_bg over losses ℓ [samples, groups], sample weights u and group weights w, and its gradients.
// Two deterministic passes: `partial` adds up a tile of rows by 64 threads, `total` adds up the tiles.
//
// Injected: SAMPLE_WEIGHTS, GROUP_WEIGHTS (whether they are given; 1 otherwise).

struct Params {
  samples: u32,
  groups: u32,
  tile: u32, // elements a workgroup
  tiles: u32,
  scale: f32,
  row: u32, // threads along x, of workgroups of 64
}

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> sample_weights: array<f32>;
@group(0) @binding(2) var<storage, read> group_weights: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> part: array<f32, 64>;

fn of_sample(sample: u32) -> f32 {
  if (SAMPLE_WEIGHTS) {
    return sample_weights[sample];
  }
  return 1.0;
}

fn of_group(g: u32) -> f32 {
  if (GROUP_WEIGHTS) {
    return group_weights[g];
  }
  return 1.0;
}

fn store_sum(lane: u32, at: u32, sum: f32) {
  part[lane] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      part[lane] += part[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    output[at] = part[0];
  }
}

@compute @workgroup_size(64)
fn partial(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = id.y * (params.row / 64u) + id.x;
  if (tile >= params.tiles) {
    return;
  }
  let first = tile * params.tile;
  let last = min(params.samples * params.groups, first + params.tile);
  var sum = 0.0;
  for (var i = first + lane; i < last; i += 64u) {
    sum += losses[i] * of_sample(i / params.groups) * of_group(i % params.groups);
  }
  store_sum(lane, tile, sum * params.scale);
}

// `losses` holds the tiles' sums.
@compute @workgroup_size(64)
fn total(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.tiles; i += 64u) {
    sum += losses[i];
  }
  store_sum(lane, 0u, sum);
}

// Gradient of the losses, [samples, groups].
@compute @workgroup_size(64)
fn to_losses(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i < params.samples * params.groups) {
    output[i] = dy[0] * params.scale * of_sample(i / params.groups) * of_group(i % params.groups);
  }
}

// Gradient of the sample weights: one workgroup a sample.
@compute @workgroup_size(64)
fn to_samples(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let sample = id.y * (params.row / 64u) + id.x;
  if (sample >= params.samples) {
    return;
  }
  var sum = 0.0;
  for (var g = lane; g < params.groups; g += 64u) {
    sum += losses[sample * params.groups + g] * of_group(g);
  }
  store_sum(lane, sample, sum * params.scale * dy[0]);
}

// Gradient of the group weights: one thread a group, neighbours read neighbouring columns.
@compute @workgroup_size(64)
fn to_groups(@builtin(global_invocation_id) id: vec3<u32>) {
  let g = id.y * params.row + id.x;
  if (g >= params.groups) {
    return;
  }
  var sum = 0.0;
  for (var sample = 0u; sample < params.samples; sample++) {
    sum += losses[sample * params.groups + g] * of_sample(sample);
  }
  output[g] = sum * params.scale * dy[0];
}
