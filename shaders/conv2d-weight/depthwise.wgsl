// import conv2d-weight/walk-sums.wgsl

// Weight gradient of a depthwise convolution: a channel's x times its dy.

alias Sum = V;

fn added(sum: V, x: V, dy: V) -> V {
  return fma(x, dy, sum);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let channels = params.channels / WIDTH;
  let at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let channel = at % channels;
  let split = at / channels;
  if (split >= params.splits) {
    return;
  }
  let sums = sumsOf(split, channel, channel);
  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      result[((split * TAP_ROWS + tapY) * TAP_COLUMNS + tapX) * channels + channel] = sums[tapY][tapX];
    }
  }
}
