// Sorting along the middle axis of [outer, n, inner], by Batcher's bitonic network (1968) on pairs of a key and a place. Keys are
// whole numbers in the order wanted; equal ones go by their places, so that the order is stable and the same everywhere.
//
// A line's pairs lie together. `block_of_input` and `block_of_pairs` sort BLOCK of them in workgroup memory and keep the
// first few of each: all that the first k need, round by round. `merge_far` and `merge_near` are the steps of the network
// that join sorted blocks.
//
// Injected: T (element type), KIND (0 floats, 1 signed, 2 unsigned), DESCENDING, BLOCK (a power of two), THREADS
// (of a workgroup; they take turns at the pairs).

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  length: u32, // pairs of a line; elements in the beginning
  kept: u32,   // of each block, or of each line where places are written
  span: u32,   // pairs that are joined
  reach: u32,  // between those that are compared
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> sorted: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> places: array<i32>;
@group(0) @binding(4) var<uniform> params: Params;

// Behind everything.
const LAST = vec2(0xffffffffu, 0xffffffffu);

// NaN is beyond every number, and −0 equals 0.
fn key_of(value: T) -> u32 {
  var key = u32(value);
  if (KIND == 1u) {
    key = bitcast<u32>(i32(value)) ^ 0x80000000u;
  }
  if (KIND == 0u) {
    let bits = bitcast<u32>(f32(value));
    let magnitude = bits & 0x7fffffffu;
    key = select(bits | 0x80000000u, ~bits, bits > 0x80000000u);
    key = select(key, 0x80000000u, magnitude == 0u);
    key = select(key, 0xffffffffu, magnitude > 0x7f800000u);
  }
  return select(key, ~key, DESCENDING);
}

var<workgroup> block: array<vec2<u32>, BLOCK>;

fn is_behind(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.x > b.x || (a.x == b.x && a.y > b.y);
}

// The lower of the two of comparison `t`. The first step of a merge compares mirror images, as the second half is
// sorted like the first one.
fn lower(t: u32, reach: u32) -> u32 {
  return (t / reach) * 2u * reach + t % reach;
}

fn partner(i: u32, reach: u32, mirrored: bool) -> u32 {
  return select(i + reach, i ^ (2u * reach - 1u), mirrored);
}

fn exchange(t: u32, reach: u32, mirrored: bool) {
  for (var u = t; u < BLOCK / 2u; u += THREADS) {
    let i = lower(u, reach);
    let j = partner(i, reach, mirrored);
    let a = block[i];
    let b = block[j];
    if (is_behind(a, b)) {
      block[i] = b;
      block[j] = a;
    }
  }
  workgroupBarrier();
}

fn blocks() -> u32 {
  return (params.length + BLOCK - 1u) / BLOCK;
}

fn lines() -> u32 {
  return params.outer * params.inner;
}

// Sorts what is in `block`, the block of this number, and keeps the first few.
fn sort_block(number: u32, t: u32) {
  workgroupBarrier();
  for (var half = 1u; half < BLOCK; half *= 2u) {
    exchange(t, half, true);
    for (var reach = half / 2u; reach > 0u; reach /= 2u) {
      exchange(t, reach, false);
    }
  }
  for (var i = t; i < params.kept && number < lines() * blocks(); i += THREADS) {
    sorted[number * params.kept + i] = block[i];
  }
}

@compute @workgroup_size(THREADS)
fn block_of_input(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let number = group.y * groups.x + group.x;
  let line = number / blocks();
  let first = (line / params.inner) * params.n * params.inner + line % params.inner;
  for (var i = t; i < BLOCK; i += THREADS) {
    let place = (number % blocks()) * BLOCK + i;
    block[i] = LAST;
    if (place < params.n && line < lines()) {
      block[i] = vec2(key_of(input[first + place * params.inner]), place);
    }
  }
  sort_block(number, t);
}

@compute @workgroup_size(THREADS)
fn block_of_pairs(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let number = group.y * groups.x + group.x;
  let first = number / blocks() * params.length;
  for (var i = t; i < BLOCK; i += THREADS) {
    let place = (number % blocks()) * BLOCK + i;
    block[i] = LAST;
    if (place < params.length && number < lines() * blocks()) {
      block[i] = pairs[first + place];
    }
  }
  sort_block(number, t);
}

// One step of a merge, between pairs of two blocks.
@compute @workgroup_size(64)
fn merge_far(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let t = id.y * groups.x * 64u + id.x;
  if (t >= params.outer * params.inner * params.length / 2u) {
    return;
  }
  let i = lower(t, params.reach);
  let j = partner(i, params.reach, 2u * params.reach == params.span);
  let a = sorted[i];
  let b = sorted[j];
  if (is_behind(a, b)) {
    sorted[i] = b;
    sorted[j] = a;
  }
}

// The last steps of a merge, within each block.
@compute @workgroup_size(THREADS)
fn merge_near(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let first = (group.y * groups.x + group.x) * BLOCK;
  let isThere = first < params.outer * params.inner * params.length;
  for (var i = t; i < BLOCK; i += THREADS) {
    if (isThere) {
      block[i] = sorted[first + i];
    }
  }
  workgroupBarrier();
  for (var reach = BLOCK / 2u; reach > 0u; reach /= 2u) {
    exchange(t, reach, false);
  }
  for (var i = t; i < BLOCK; i += THREADS) {
    if (isThere) {
      sorted[first + i] = block[i];
    }
  }
}

// Where the first of each line came from, [outer, kept, inner].
@compute @workgroup_size(64)
fn origins(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.outer * params.kept * params.inner) {
    return;
  }
  let column = at % params.inner;
  let rank = (at / params.inner) % params.kept;
  let line = (at / (params.inner * params.kept)) * params.inner + column;
  places[at] = i32(pairs[line * params.length + rank].y);
}
