// Running sums or products along the middle axis of [outer, n, inner], in chunks: `totals` folds each chunk, the same scan
// goes over the totals, and `scan` walks each chunk from what came before it. One thread a chunk: neighbours in its cache
// lines are its own next elements, and the order of operations never varies.
//
// Injected: T (element type), R (of totals and results: f32 where T is f16, T elsewhere), PRODUCT (else the sum), EXCLUSIVE (an
// element is left out of its own result), REVERSE (from the end), CARRIED (there are totals of the chunks before).

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  chunks: u32,
  length: u32, // of a chunk; the last one may be shorter
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read> before: array<R>; // [outer, chunks, inner], in the order of the walk
@group(0) @binding(2) var<storage, read_write> output: array<R>;
@group(0) @binding(3) var<uniform> params: Params;

fn combine(a: R, b: R) -> R {
  if (PRODUCT) { return a * b; }
  return a + b;
}

fn neutral() -> R {
  if (PRODUCT) { return R(1); }
  return R(0);
}

// A chunk's elements are numbered in the order of the walk.
struct Chunk {
  line: u32, // first element of its line
  first: u32,
  end: u32,
}

fn chunk_of(number: u32) -> Chunk {
  let column = number % params.inner;
  let chunk = (number / params.inner) % params.chunks;
  let row = number / (params.inner * params.chunks);
  let first = chunk * params.length;
  return Chunk(row * params.n * params.inner + column, first, min(params.n, first + params.length));
}

fn place(chunk: Chunk, i: u32) -> u32 {
  return chunk.line + select(i, params.n - 1u - i, REVERSE) * params.inner;
}

fn thread(id: vec3<u32>, groups: vec3<u32>) -> u32 {
  return id.y * groups.x * 64u + id.x;
}

@compute @workgroup_size(64)
fn totals(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let number = thread(id, groups);
  if (number >= params.outer * params.chunks * params.inner) {
    return;
  }
  let chunk = chunk_of(number);
  var total = neutral();
  for (var i = chunk.first; i < chunk.end; i++) {
    total = combine(total, R(input[place(chunk, i)]));
  }
  output[number] = total;
}

@compute @workgroup_size(64)
fn scan(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let number = thread(id, groups);
  if (number >= params.outer * params.chunks * params.inner) {
    return;
  }
  let chunk = chunk_of(number);
  var carry = neutral();
  if (CARRIED) {
    carry = before[number];
  }
  var total = neutral();
  for (var i = chunk.first; i < chunk.end; i++) {
    let at = place(chunk, i);
    let value = R(input[at]);
    if (EXCLUSIVE) {
      output[at] = combine(carry, total);
    }
    total = combine(total, value);
    if (!EXCLUSIVE) {
      output[at] = combine(carry, total);
    }
  }
}
