// import conv2d/walk.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution in groups of channels that come in fours, see conv2d/walk.wgsl: a thread adds up the weights
// of a tap row between four source and four target channels of a group along some walks. Here `lines` are walks. A second pass
// adds the splits up, so the order never varies.
//
// Injected: TAP_COLUMNS, THREADS (of a workgroup).

@group(0) @binding(1) var<storage, read> gradient: array<S>;
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targets = params.targetChannels / 4u;
  let sources = params.groupChannels / 4u;
  var at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let channel = at % targets;
  at /= targets;
  let s = at % sources;
  at /= sources;
  let tapY = at % params.tapRows;
  let split = at / params.tapRows;
  if (split >= params.splits) {
    return;
  }
  let group = channel / (params.groupTargets / 4u);

  // By tap column: four source channels, the columns, by four target channels.
  var sums: array<mat4x4<f32>, TAP_COLUMNS>;
  let last = min((split + 1u) * params.linesPerSplit, params.lines);
  for (var w = split * params.linesPerSplit; w < last; w++) {
    let walk = walkAt(w);
    for (var k = 0u; k < walk.rows; k++) {
      let row = walk.row + k * EVERY_Y;
      let y = sourceRow(row) + i32(tapY * params.tapStepY);
      let seen = seenAt(walk.image, y, walk.column, group * sources + s);
      let first = (walk.image * params.rows + row) * params.columns;
      for (var i = 0u; i < COLUMNS; i++) { // unrolled
        let column = walk.column + i * EVERY_X;
        let dy = select(V(), V(gradient[(first + column) * targets + channel]), column < params.columns);
        for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
          let x = seen[i * MOVE_X + tapX];
          sums[tapX] += mat4x4<f32>(dy * x.x, dy * x.y, dy * x.z, dy * x.w);
        }
      }
    }
  }

  for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
    let tap = (split * params.tapRows + tapY) * TAP_COLUMNS + tapX;
    for (var i = 0u; i < 4u; i++) { // unrolled
      result[(tap * params.groupChannels + s * 4u + i) * targets + channel] = sums[tapX][i];
    }
  }
}
