// import conv2d/walk.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a depthwise convolution (see conv2d/walk.wgsl): a thread adds up all weights of its channels along some
// walks. Here `lines` are walks. A second pass adds the splits up, so the order never varies.
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
  let channels = params.channels / WIDTH;
  let at = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let channel = at % channels;
  let split = at / channels;
  if (split >= params.splits) {
    return;
  }

  var sums: array<array<V, TAP_COLUMNS>, TAP_ROWS>;
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
      window[TAP_ROWS - 1u] = seenAt(walk.image, sourceRow(walk.row) + i32(line * params.tapStepY), walk.column, channel);
      missing--;
      if (missing > 0u) {
        continue;
      }
      missing = MOVE_Y;
      let first = (walk.image * params.rows + row) * params.columns;
      for (var i = 0u; i < COLUMNS; i++) { // unrolled
        let column = walk.column + i * EVERY_X;
        let dy = select(V(), V(gradient[(first + column) * channels + channel]), column < params.columns);
        for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
          for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
            sums[tapY][tapX] = fma(window[tapY][i * MOVE_X + tapX], dy, sums[tapY][tapX]);
          }
        }
      }
      row += EVERY_Y;
    }
  }

  for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
    for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
      result[((split * TAP_ROWS + tapY) * TAP_COLUMNS + tapX) * channels + channel] = sums[tapY][tapX];
    }
  }
}
