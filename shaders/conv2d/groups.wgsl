// import conv2d/walk.wgsl
// import conv2d/params.wgsl

// Convolution in groups of channels, see conv2d/walk.wgsl: a thread computes a vector of target channels of a group at COLUMNS
// positions. Forward and input gradient alike, see conv2d/params.wgsl. For kernels that tell what weights are that take a vector
// of source channels to one of target channels: a function `weightsAt(first: u32)`.
//
// Injected: TAP_COLUMNS, THREADS (of a workgroup).

@group(0) @binding(1) var<storage, read> weight: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<V>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let targets = params.targetChannels / WIDTH;
  let channel = at % targets;
  let walk = walkAt(at / targets);
  if (walk.image >= params.batch || walk.rows == 0u) {
    return;
  }
  let sources = params.groupChannels / WIDTH;
  let groupTargets = params.groupTargets / WIDTH;
  let group = channel / groupTargets;
  let first = params.weightOrigin + group * params.weightGroup +
    channel % groupTargets * WIDTH * params.weightTarget;

  var sums: array<V, COLUMNS>;
  for (var tapY = 0u; tapY < params.tapRows; tapY++) {
    let y = sourceRow(walk.row) + i32(tapY * params.tapStepY);
    var weightRow = first + tapY * u32(params.weightY);
    for (var s = 0u; s < sources; s++) {
      let seen = seenAt(walk.image, y, walk.column, group * sources + s);
      for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
        let weights = weightsAt(weightRow + tapX * u32(params.weightX));
        for (var i = 0u; i < COLUMNS; i++) { // unrolled
          sums[i] += weights * seen[i * MOVE_X + tapX];
        }
      }
      weightRow += WIDTH * params.weightSource;
    }
  }

  var shift = V();
  if (params.hasBias != 0u) {
    shift = bias[channel];
  }
  let y = walk.image * params.targetHeight + walk.row * params.targetStepY + params.targetY;
  for (var i = 0u; i < COLUMNS; i++) { // unrolled
    let column = walk.column + i * EVERY_X;
    if (column < params.columns) {
      let to = (y * params.targetWidth + column * params.targetStepX + params.targetX) * targets + channel;
      var sum = sums[i] + shift;
      if (params.accumulate != 0u) {
        sum += V(result[to]);
      }
      result[to] = S(sum);
    }
  }
}
