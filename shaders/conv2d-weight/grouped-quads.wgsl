// import conv2d-weight/walk-sums.wgsl

// Weight gradient of a convolution in groups of channels that come in fours: each of four source channels times each of four
// target channels of a group.

// Source channels are the columns.
alias Sum = mat4x4<f32>;

fn added(sum: Sum, x: V, dy: V) -> Sum {
  return sum + Sum(dy * x.x, dy * x.y, dy * x.z, dy * x.w);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targets = params.targetChannels / 4u;
  let sources = params.groupChannels / 4u;
  let at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let channel = at % targets;
  let s = at / targets % sources;
  let split = at / (targets * sources);
  if (split >= params.splits) {
    return;
  }
  let group = channel / (params.groupTargets / 4u);
  let sums = sumsOf(split, group * sources + s, channel);
  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      let tap = (split * TAP_ROWS + tapY) * TAP_COLUMNS + tapX;
      for (var i = 0u; i < 4u; i++) { // unrolled
        result[(tap * params.groupChannels + s * 4u + i) * targets + channel] = sums[tapY][tapX][i];
      }
    }
  }
}
