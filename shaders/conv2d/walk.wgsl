// Walks over a source image, for kernels of convolutions in groups, whose few products leave most of the time to loads: a
// thread goes down a strip of COLUMNS target positions, and what all of them see of a source row is loaded once. For kernels
// whose Params tell of the source image and the taps.
//
// Where taps lie apart, so do the positions of a walk: they see the same places of the source, and those between them
// belong to other walks.
//
// Injected: V (f32, or vec4<f32> for channels in fours), WIDTH (channels of a V), S (how a V is stored: it or its f16
// equivalent), COLUMNS, ROWS (positions of a walk at most), EVERY_X, EVERY_Y (distance of its positions), MOVE_X, MOVE_Y (taps
// from one to the next), SPAN (taps that a row of positions sees).

@group(0) @binding(0) var<storage, read> source: array<S>;

// What a row of positions sees of a source row.
alias Seen = array<V, SPAN>;

struct Walk {
  image: u32,
  // First position, and how many rows of them there are.
  row: u32,
  column: u32,
  rows: u32,
}

// The `index`-th walk of all images; none, with an image behind the last one or without rows, where there are fewer.
fn walkAt(index: u32) -> Walk {
  let strips = ((params.columns + EVERY_X - 1u) / EVERY_X + COLUMNS - 1u) / COLUMNS;
  let parts = ((params.rows + EVERY_Y - 1u) / EVERY_Y + ROWS - 1u) / ROWS;
  let column = index % EVERY_X + index / EVERY_X % strips * COLUMNS * EVERY_X;
  let line = index / (EVERY_X * strips);
  let row = line % EVERY_Y + line / EVERY_Y % parts * ROWS * EVERY_Y;
  let left = (max(params.rows, row) - row + EVERY_Y - 1u) / EVERY_Y;
  return Walk(line / (EVERY_Y * parts), row, column, min(ROWS, left));
}

// What the strip that begins at `column` sees of row y of an image, from a vector of channels on; zero outside of the image.
fn seenAt(image: u32, y: i32, column: u32, channel: u32) -> Seen {
  let first = i32(column * params.stepX) + params.originX;
  let line = (i32(image * params.height) + y) * i32(params.width);
  let isInside = u32(y) < params.height;
  var seen: Seen;
  for (var i = 0u; i < SPAN; i++) { // unrolled
    let x = first + i32(i * params.tapStepX);
    let value = V(source[u32(line + x) * (params.channels / WIDTH) + channel]);
    seen[i] = select(V(), value, isInside && u32(x) < params.width);
  }
  return seen;
}

// The source row that the first tap of a target row looks at.
fn sourceRow(row: u32) -> i32 {
  return i32(row * params.stepY) + params.originY;
}
