// import conv2d/walk.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution in groups of channels that come in fours, see conv2d/walk.wgsl: a thread adds up all weights
// between four source and four target channels of a group along some walks. Here `lines` are walks. A second pass adds the splits
// up, so the order never varies.
//
// Injected: TAP_ROWS, TAP_COLUMNS, THREADS (of a workgroup).

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
  let split = at / sources;
  if (split >= params.splits) {
    return;
  }
  let group = channel / (params.groupTargets / 4u);

  // By tap: four source channels, the columns, by four target channels.
  var sums: array<array<mat4x4<f32>, TAP_COLUMNS>, TAP_ROWS>;
  let last = min((split + 1u) * params.linesPerSplit, params.lines);
  for (var w = split * params.linesPerSplit; w < last; w++) {
    let walk = walkAt(w);
    var window: array<Seen, TAP_ROWS>;
    var row = walk.row;
    var missing = TAP_ROWS; // source rows until all taps of the next target row see theirs
    let lines = select(0u, (walk.rows - 1u) * MOVE_Y + TAP_ROWS, walk.rows > 0u);
    for (var line = 0u; line < lines; line++) {
      for (var i = 1u; i < TAP_ROWS; i++) { // unrolled
        window[i - 1u] = window[i];
      }
      let y = sourceRow(walk.row) + i32(line * params.tapStepY);
      window[TAP_ROWS - 1u] = seenAt(walk.image, y, walk.column, group * sources + s);
      missing--;
      if (missing > 0u) {
        continue;
      }
      missing = MOVE_Y;
      let first = (walk.image * params.rows + row) * params.columns;
      for (var i = 0u; i < COLUMNS; i++) { // unrolled
        let column = walk.column + i * EVERY_X;
        let dy = select(V(), V(gradient[(first + column) * targets + channel]), column < params.columns);
        for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
          for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
            let x = window[tapY][i * MOVE_X + tapX];
            sums[tapY][tapX] += mat4x4<f32>(dy * x.x, dy * x.y, dy * x.z, dy * x.w);
          }
        }
      }
      row += EVERY_Y;
    }
  }

  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      let tap = (split * TAP_ROWS + tapY) * TAP_COLUMNS + tapX;
      for (var i = 0u; i < 4u; i++) { // unrolled
        result[(tap * params.groupChannels + s * 4u + i) * targets + channel] = sums[tapY][tapX][i];
      }
    }
  }
}
