// import conv2d/walk-window.wgsl
// import conv2d-weight/params.wgsl

// Weight gradients along walks (see conv2d/walk.wgsl): a thread adds up all taps of its channels. Here `lines` of the parameters
// are walks. A second pass adds the splits up, so the order never varies. For kernels that tell what is added up, and how: an
// alias Sum, and a function `added(sum: Sum, x: V, dy: V) -> Sum`.
//
// Injected: TAP_COLUMNS, THREADS (of a workgroup), RAGGED (walks at the end of a row have positions that are none).

@group(0) @binding(1) var<storage, read> gradient: array<S>;
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> params: Params;

alias Sums = array<array<Sum, TAP_COLUMNS>, TAP_ROWS>;

// The sums of a split between a vector of source channels and one of target channels.
fn sumsOf(split: u32, sourceChannel: u32, channel: u32) -> Sums {
  var sums: Sums;
  let last = min((split + 1u) * params.splitSize, params.lines);
  for (var w = split * params.splitSize; w < last; w++) {
    let walk = walkAt(w);
    var window: Window;
    var row = walk.row;
    var missing = TAP_ROWS;
    let lines = linesOf(walk);
    for (var line = 0u; line < lines; line++) {
      window = onward(window, walk, line, sourceChannel);
      missing--;
      if (missing > 0u) {
        continue;
      }
      missing = MOVE_Y;
      let first = (walk.image * params.rows + row) * params.columns;
      for (var i = 0u; i < COLUMNS; i++) { // unrolled
        let column = walk.column + i * EVERY_X;
        // Not with a dy of zero instead: the image may go on there, and its ∞ would make NaN.
        if (!RAGGED || column < params.columns) {
          let dy = V(gradient[(first + column) * (params.targetChannels / WIDTH) + channel]);
          for (var tapY = 0u; tapY < TAP_ROWS; tapY++) { // unrolled
            for (var tapX = 0u; tapX < TAP_COLUMNS; tapX++) { // unrolled
              sums[tapY][tapX] = added(sums[tapY][tapX], window[tapY][i * MOVE_X + tapX], dy);
            }
          }
        }
      }
      row += EVERY_Y;
    }
  }
  return sums;
}
