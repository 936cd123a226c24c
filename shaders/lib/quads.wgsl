enable subgroups;

// Products for software adapters, whose subgroups are vectors of the CPU.
//
// Such an adapter loads lane by lane: it tests the lane, checks the bounds, branches. A load of four neighbours tests
// once, and what is loaded must serve as many multiplications as possible. So each lane owns a quad of neighbouring
// columns, QUADS lanes make a row of them, and 16 rows of a lane stay in its accumulators: the right operand is loaded
// as quads of columns, the left one a quad of terms or of rows a lane and handed round. Accumulators that do not fit
// into the registers cost less than loads. The lanes of a subgroup that are left make further blocks of 16 rows.
//
// Injected: LANES (size of a subgroup), QUADS (a divisor of LANES and of 16), BLOCKS (blocks that a lane has one behind the other,
// with the same right operand), GAP (quads held beyond each eight of sixteen), SLOTS ((16 + 2·GAP) / QUADS), S (how operands are stored: f32 or f16; everything is added up in f32).

// 16 rows by a lane's quad of columns; each column of a matrix is a row's quad.
struct Block {
  a: mat4x4<f32>,
  b: mat4x4<f32>,
  c: mat4x4<f32>,
  d: mat4x4<f32>,
}

// Rows of a lane.
const SPAN = 16u * BLOCKS;

// Four quads as they are stored.
fn matrixOf(a: vec4<S>, b: vec4<S>, c: vec4<S>, d: vec4<S>) -> mat4x4<f32> {
  return mat4x4<f32>(vec4<f32>(a), vec4<f32>(b), vec4<f32>(c), vec4<f32>(d));
}

// Sixteen quads, with a gap behind each eight, held by QUADS lanes: what is at i in slot i / QUADS of lane i % QUADS.
alias Held = array<vec4<f32>, SLOTS>;

// Quad i as every lane of the row sees it.
fn held(x: Held, i: u32, row: u32) -> vec4<f32> {
  let at = i + i / 8u * GAP;
  return subgroupShuffle(x[at / QUADS], row + at % QUADS);
}

// Four terms of a left operand held as quads of terms, one a row: column i of the result is row `first + i`.
fn rows4(x: Held, first: u32, row: u32) -> mat4x4<f32> {
  return mat4x4<f32>(held(x, first, row), held(x, first + 1u, row), held(x, first + 2u, row), held(x, first + 3u, row));
}

// Adds four terms: w holds the quads of columns of each.
fn multiply(sum: Block, x: Held, w: mat4x4<f32>, row: u32) -> Block {
  return Block(
    sum.a + w * rows4(x, 0u, row),
    sum.b + w * rows4(x, 4u, row),
    sum.c + w * rows4(x, 8u, row),
    sum.d + w * rows4(x, 12u, row),
  );
}

// The same for a left operand held as quads of rows: quad i holds term i / 4 of rows 4·(i % 4) ….
fn turned4(x: Held, part: u32, row: u32) -> mat4x4<f32> {
  return transpose(
    mat4x4<f32>(held(x, part, row), held(x, part + 4u, row), held(x, part + 8u, row), held(x, part + 12u, row)),
  );
}

fn multiplyTurned(sum: Block, x: Held, w: mat4x4<f32>, row: u32) -> Block {
  return Block(
    sum.a + w * turned4(x, 0u, row),
    sum.b + w * turned4(x, 1u, row),
    sum.c + w * turned4(x, 2u, row),
    sum.d + w * turned4(x, 3u, row),
  );
}

// The rows one by one, to be stored in a loop: sixteen stores written out would take longer to compile than all the rest.
fn rowsOf(sum: Block) -> array<vec4<f32>, 16> {
  return array<vec4<f32>, 16>(
    sum.a[0], sum.a[1], sum.a[2], sum.a[3],
    sum.b[0], sum.b[1], sum.b[2], sum.b[3],
    sum.c[0], sum.c[1], sum.c[2], sum.c[3],
    sum.d[0], sum.d[1], sum.d[2], sum.d[3],
  );
}

// The rows of all of a lane's blocks, with a quad added to each.
fn shiftedRows(sums: array<Block, BLOCKS>, quad: vec4<f32>) -> array<vec4<f32>, SPAN> {
  let shift = mat4x4<f32>(quad, quad, quad, quad);
  var results: array<vec4<f32>, SPAN>;
  for (var b = 0u; b < BLOCKS; b++) { // unrolled
    let sum = sums[b];
    let rows = rowsOf(Block(sum.a + shift, sum.b + shift, sum.c + shift, sum.d + shift));
    for (var i = 0u; i < 16u; i++) { // unrolled
      results[b * 16u + i] = rows[i];
    }
  }
  return results;
}
