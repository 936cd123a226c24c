enable subgroups;

// Convolutions between few channels, on software adapters (see lib/quads.wgsl).
//
// To load a number takes such an adapter as long as ten products, and a product may take its factor from the stack as fast as from
// a register. So a lane owns a target channel and keeps the weights of all its terms, or their gradients, and all lanes walk
// down a strip of columns together: of each row of the source they load a share each, once, and hand it round to every
// tap and lane that sees it.
//
// Injected: LANES (size of a subgroup), S (how images are stored: f32 or f16), QUADS (of the source's channels, which come in fours), TAP_ROWS,
// TAP_COLUMNS, SEEN_QUADS (that a position sees by a tap row), TERM_QUADS (by all), SPAN (columns of a strip), ROW_QUADS (that a row of a
// strip sees by a tap row), SLOTS (of a lane, for its share of these), FRESH (of TAP_ROWS, those that a row of a strip does not
// share with the one before).

@group(0) @binding(0) var<storage, read> source: array<vec4<S>>;

// A row of the source as lanes hold it: quad i in slot i / LANES of lane i % LANES.
alias Row = array<vec4<f32>, SLOTS>;

// By tap row.
alias Window = array<Row, TAP_ROWS>;

struct Strip {
  image: u32,
  column: u32, // its first
}

fn stripsOfImage() -> u32 {
  return (params.columns + SPAN - 1u) / SPAN;
}

fn stripAt(index: u32) -> Strip {
  return Strip(index / stripsOfImage(), index % stripsOfImage() * SPAN);
}

// What a strip sees of row `y` of its image; zero outside. In a loop that moves it up to its place: loads that are
// written out take long to compile, and what a loop indexes is kept in memory.
fn rowAt(strip: Strip, y: i32, lane: u32) -> Row {
  let begin = (i32(strip.image * params.height) + y) * i32(params.width);
  var row: Row;
  for (var i = lane; i < SLOTS * LANES; i += LANES) {
    for (var s = 1u; s < SLOTS; s++) { // unrolled
      row[s - 1u] = row[s];
    }
    let x = i32(strip.column + i / QUADS) + params.originX;
    let value = vec4<f32>(source[u32(begin + x) * QUADS + i % QUADS]);
    let isInside = u32(y) < params.height && u32(x) < params.width && i < ROW_QUADS;
    row[SLOTS - 1u] = select(vec4<f32>(), value, isInside);
  }
  return row;
}

// The window moved down by a row.
fn moved(window: Window, row: Row) -> Window {
  var next: Window;
  for (var i = 1u; i < TAP_ROWS; i++) { // unrolled
    next[i - 1u] = window[i];
  }
  next[TAP_ROWS - 1u] = row;
  return next;
}

// What the first row of a strip shares with the row that would be before it.
fn windowAbove(strip: Strip, lane: u32) -> Window {
  var window: Window;
  for (var i = FRESH; i < TAP_ROWS; i++) {
    window = moved(window, rowAt(strip, params.originY + i32(i - FRESH), lane));
  }
  return window;
}

// What row `y` of a strip sees, from the window of the row before it.
fn windowAt(strip: Strip, y: u32, before: Window, lane: u32) -> Window {
  var window = before;
  for (var i = TAP_ROWS - FRESH; i < TAP_ROWS; i++) {
    window = moved(window, rowAt(strip, i32(y * params.stepY + i) + params.originY, lane));
  }
  return window;
}

// Quads of channels of the pixels of a row, as every lane sees them.
fn pixelsOf(row: Row) -> array<vec4<f32>, ROW_QUADS> {
  var pixels: array<vec4<f32>, ROW_QUADS>;
  for (var i = 0u; i < ROW_QUADS; i++) { // unrolled
    pixels[i] = subgroupShuffle(row[i / LANES], i % LANES);
  }
  return pixels;
}
