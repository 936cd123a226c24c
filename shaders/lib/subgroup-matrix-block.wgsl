// import lib/subgroup-matrix.wgsl

// A block of a product by matrix units: the entry point of the kernels `…/subgroup-matrix.wgsl`, which tell where operands
// and results lie.
//
// A workgroup fills tiles of both operands, zeros beyond the edges. UNITS_Y × UNITS_X of its subgroups keep HELD_Y × HELD_X
// matrices of sums each. How large a subgroup is, only the compiler knows: there are enough of the largest size, and those
// that are left when they are smaller load and store along. Results leave through workgroup memory, since an edge, a bias
// or another type takes them one by one.
//
// Injected: THREADS (of a workgroup), UNITS_Y, UNITS_X, HELD_Y, HELD_X, DEPTH (terms of a tile, a multiple of K and of 4),
// PAD (how many S are 16 bytes), LEFT_TERMS, RIGHT_TERMS (whether an operand's neighbours in memory are neighbouring terms,
// not rows or columns), LEFT_QUADS, RIGHT_QUADS (whether they come in fours), LeftElement, RightElement (vec4<S> then, else
// S).

@group(0) @binding(0) var<storage, read> leftOperand: array<LeftElement>;
@group(0) @binding(1) var<storage, read> rightOperand: array<RightElement>;

const UNITS: u32 = UNITS_Y * UNITS_X;
const ROWS: u32 = UNITS_Y * HELD_Y * M;
const COLUMNS: u32 = UNITS_X * HELD_X * N;
// 16 bytes more than a row takes: rows keep their alignment, and do not all begin in the same bank.
const LEFT_STRIDE: u32 = DEPTH + PAD;
const RIGHT_STRIDE: u32 = COLUMNS + PAD;

// Where nothing lies.
const NONE: u32 = 0xffffffffu;

// Rows of terms, and terms of columns.
var<workgroup> leftTile: array<S, ROWS * LEFT_STRIDE>;
var<workgroup> rightTile: array<S, DEPTH * RIGHT_STRIDE>;
// One matrix of sums for each unit.
var<workgroup> sumTile: array<f32, UNITS * M * N>;

// Whichever way operands are declared, both ways of reading them must have a type: hence the conversions, which do nothing.

fn left1(at: u32) -> S {
  return vec4<S>(leftOperand[at]).x;
}

fn right1(at: u32) -> S {
  return vec4<S>(rightOperand[at]).x;
}

// The first `count` of four values that lie `step` apart, from `at` on; zeros for the others. Quads are whole or empty.
fn leftRun(at: u32, step: u32, count: u32) -> vec4<S> {
  var values = vec4<S>();
  if (LEFT_QUADS) {
    if (count > 0u) {
      values = vec4<S>(leftOperand[at / 4u]);
    }
    return values;
  }
  for (var i = 0u; i < min(count, 4u); i++) {
    values[i] = left1(at + i * step);
  }
  return values;
}

fn rightRun(at: u32, step: u32, count: u32) -> vec4<S> {
  var values = vec4<S>();
  if (RIGHT_QUADS) {
    if (count > 0u) {
      values = vec4<S>(rightOperand[at / 4u]);
    }
    return values;
  }
  for (var i = 0u; i < min(count, 4u); i++) {
    values[i] = right1(at + i * step);
  }
  return values;
}

// How many of `count` are left from `i` on.
fn remaining(i: u32, count: u32) -> u32 {
  return select(0u, count - i, i < count);
}

fn fillLeft(block: Block, first: u32, thread: u32) {
  for (var i = thread; i < ROWS * DEPTH / 4u; i += THREADS) {
    // Neighbouring threads read neighbours in memory.
    let row = select(i % (ROWS / 4u) * 4u, i / (DEPTH / 4u), LEFT_TERMS);
    let term = select(i / (ROWS / 4u), i % (DEPTH / 4u) * 4u, LEFT_TERMS);
    let values = left4(block, row, first + term);
    let step = select(LEFT_STRIDE, 1u, LEFT_TERMS);
    for (var j = 0u; j < 4u; j++) {
      leftTile[row * LEFT_STRIDE + term + j * step] = values[j];
    }
  }
}

fn fillRight(block: Block, first: u32, thread: u32) {
  for (var i = thread; i < DEPTH * COLUMNS / 4u; i += THREADS) {
    let column = select(i % (COLUMNS / 4u) * 4u, i / (DEPTH / 4u), RIGHT_TERMS);
    let term = select(i / (COLUMNS / 4u), i % (DEPTH / 4u) * 4u, RIGHT_TERMS);
    let values = right4(block, first + term, column);
    let step = select(1u, RIGHT_STRIDE, RIGHT_TERMS);
    for (var j = 0u; j < 4u; j++) {
      rightTile[term * RIGHT_STRIDE + column + j * step] = values[j];
    }
  }
}

@compute @workgroup_size(THREADS)
fn main(
  place: Place,
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let block = blockOf(group.y * groups.x + group.x);
  if (!block.exists) {
    return;
  }
  prepare(block, thread);
  workgroupBarrier();

  let unit = subgroupOf(place);
  let row = unit / UNITS_X * HELD_Y * M;
  let column = unit % UNITS_X * HELD_X * N;
  var sums: array<Sum, HELD_Y * HELD_X>;
  for (var first = block.first; first < block.last; first += DEPTH) {
    fillLeft(block, first, thread);
    fillRight(block, first, thread);
    workgroupBarrier();
    if (unit < UNITS) {
      for (var term = 0u; term < DEPTH; term += K) {
        var rights: array<Right, HELD_X>;
        for (var x = 0u; x < HELD_X; x++) {
          rights[x] = loadRight(term * RIGHT_STRIDE + column + x * N);
        }
        for (var y = 0u; y < HELD_Y; y++) {
          let left = loadLeft((row + y * M) * LEFT_STRIDE + term);
          for (var x = 0u; x < HELD_X; x++) {
            sums[y * HELD_X + x] = multiplyAdd(left, rights[x], sums[y * HELD_X + x]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  for (var held = 0u; held < HELD_Y * HELD_X; held++) {
    if (unit < UNITS) {
      storeSum(unit * M * N, sums[held]);
    }
    workgroupBarrier();
    for (var i = thread; i < UNITS * M * N; i += THREADS) {
      let owner = i / (M * N);
      put(
        block,
        (owner / UNITS_X * HELD_Y + held / HELD_X) * M + i / N % M,
        (owner % UNITS_X * HELD_X + held % HELD_X) * N + i % N,
        sumTile[i],
      );
    }
    workgroupBarrier();
  }
}
