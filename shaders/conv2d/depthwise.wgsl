// import conv2d/walk-window.wgsl
// import conv2d/params.wgsl

// Depthwise convolution (see conv2d/walk.wgsl): every channel has taps of its own. Forward and input gradient alike, see
// conv2d/params.wgsl.
//
// Injected: TAP_COLUMNS, THREADS (of a workgroup).

@group(0) @binding(1) var<storage, read> weight: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<V>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

alias Weights = array<array<V, TAP_COLUMNS>, TAP_ROWS>;

fn weightsOf(channel: u32) -> Weights {
  var weights: Weights;
  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      let at = params.weightOrigin + tapY * u32(params.weightY) + tapX * u32(params.weightX);
      weights[tapY][tapX] = V(weight[at / WIDTH + channel]);
    }
  }
  return weights;
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
  let walk = walkAt(at / channels);
  if (walk.image >= params.batch || walk.rows == 0u) {
    return;
  }
  let weights = weightsOf(channel);
  var shift = V();
  if (params.hasBias != 0u) {
    shift = bias[channel];
  }

  var window: Window;
  var row = walk.row;
  var missing = TAP_ROWS;
  let lines = linesOf(walk);
  for (var line = 0u; line < lines; line++) {
    window = onward(window, walk, line, channel);
    missing--;
    if (missing > 0u) {
      continue;
    }
    missing = MOVE_Y;
    let y = walk.image * params.targetHeight + row * params.targetStepY + params.targetY;
    for (var i = 0u; i < COLUMNS; i++) { // unrolled
      var sum = shift;
      for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
        for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
          sum = fma(window[tapY][i * MOVE_X + tapX], weights[tapY][tapX], sum);
        }
      }
      let column = walk.column + i * EVERY_X;
      if (column < params.columns) {
        let x = column * params.targetStepX + params.targetX;
        let to = (y * params.targetWidth + x) * channels + channel;
        if (params.accumulate != 0u) {
          sum += V(result[to]);
        }
        result[to] = S(sum);
      }
    }
    row += EVERY_Y;
  }
}
