// import conv2d/walk.wgsl

// What the rows of taps see as a walk goes down (see conv2d/walk.wgsl): each source row is loaded once, and moves up through an
// array until it is behind all taps.
//
// Injected: TAP_ROWS.

alias Window = array<Seen, TAP_ROWS>;

// Source rows that a walk sees. The first target row is complete with the TAP_ROWS-th of them, the next ones MOVE_Y later each.
fn linesOf(walk: Walk) -> u32 {
  return select(0u, (walk.rows - 1u) * MOVE_Y + TAP_ROWS, walk.rows > 0u);
}

// The window with the walk's next source row, from a vector of channels on.
fn onward(window: Window, walk: Walk, line: u32, channel: u32) -> Window {
  var next: Window;
  for (var i = 1u; i < TAP_ROWS; i++) { // unrolled
    next[i - 1u] = window[i];
  }
  next[TAP_ROWS - 1u] = seenAt(walk.image, sourceRow(walk.row) + i32(line * params.tapStepY), walk.column, channel);
  return next;
}
