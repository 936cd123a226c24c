enable subgroups;

// Convolutions of images with few channels, on software adapters (see lib/quads.wgsl): the first layer of a network.
//
// Such a layer has so few terms that loading them is most of the work. The values that a tap row sees from four
// neighbouring positions lie side by side, whatever the channels are: a lane loads them as quads, once for all tap columns,
// and hands them round to the others, which own a pair of target channels each: of a quad, lanes would have to keep more than
// can be compiled in reasonable time.
//
// What is loaded once per tap row moves through an array, the last row's to its end: written out for every tap row, loads
// would take three times as long to compile.
//
// Injected: LANES (size of a subgroup), S (how images are stored: f32 or f16), CHANNELS (of the images), TAP_ROWS, ROW_TERMS
// (terms of a tap row), TERMS (of all), SHIFT (values between the begin of a quad and the first one seen), ROW_QUADS (quads
// that hold what four positions see by a tap row).

@group(0) @binding(0) var<storage, read> source: array<vec4<S>>;

// By tap row.
alias Window = array<array<vec4<f32>, ROW_QUADS>, TAP_ROWS>;

// Positions of a line that a subgroup treats at once: each lane loads what four of them see.
struct Span {
  line: u32,
  four: u32, // its first four among the line's
  fours: u32,
}

fn spansOfLine() -> u32 {
  return (params.columns / 4u + LANES - 1u) / LANES;
}

fn spanAt(index: u32) -> Span {
  let four = index % spansOfLine() * LANES;
  return Span(index / spansOfLine(), four, min(LANES, params.columns / 4u - four));
}

// What the positions 4·four … of a line see; zero outside of the image.
fn windowAt(line: u32, four: u32) -> Window {
  let quads = params.width * CHANNELS / 4u;
  let first = i32(four * CHANNELS) + (params.originX * i32(CHANNELS) - i32(SHIFT)) / 4;
  let top = i32(line / params.rows * params.height);
  let y = i32(line % params.rows * params.stepY) + params.originY;
  var window: Window;
  for (var tap = 0u; tap < params.tapRows; tap++) {
    for (var i = 1u; i < TAP_ROWS; i++) {
      window[i - 1u] = window[i];
    }
    let row = y + i32(tap);
    let isInside = u32(row) < params.height;
    let begin = (top + row) * i32(quads);
    for (var i = 0u; i < ROW_QUADS; i++) { // unrolled
      let quad = first + i32(i);
      let value = vec4<f32>(source[u32(begin + quad)]);
      window[TAP_ROWS - 1u][i] = select(vec4<f32>(), value, isInside && u32(quad) < quads);
    }
  }
  return window;
}

// A window as another lane loaded it.
fn windowOf(window: Window, lane: u32) -> Window {
  var seen: Window;
  for (var tap = 0u; tap < TAP_ROWS; tap++) { // unrolled
    for (var i = 0u; i < ROW_QUADS; i++) { // unrolled
      seen[tap][i] = subgroupShuffle(window[tap][i], lane);
    }
  }
  return seen;
}
