// import conv2d-weight/walk-sums.wgsl

// Weight gradient of a convolution in groups of any number of channels, one by one.

alias Sum = f32;

fn added(sum: f32, x: f32, dy: f32) -> f32 {
  return fma(x, dy, sum);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targets = params.targetChannels;
  let sources = params.groupChannels;
  let at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let channel = at % targets;
  let s = at / targets % sources;
  let split = at / (targets * sources);
  if (split >= params.splits) {
    return;
  }
  let sums = sumsOf(split, channel / params.groupTargets * sources + s, channel);
  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      let tap = (split * TAP_ROWS + tapY) * TAP_COLUMNS + tapX;
      result[(tap * sources + s) * targets + channel] = sums[tapY][tapX];
    }
  }
}
