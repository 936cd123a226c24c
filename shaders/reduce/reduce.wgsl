// import lib/nonfinite.wgsl
// import lib/row-teams.wgsl

// Reductions of [outer, n, inner] over n, in `splits` chunks: the result is [outer, splits, inner]. Few outputs over a
// long axis take two passes (splits > 1, then the splits themselves), so that the order of additions never varies.
//
// An output is a row.
//
// Injected: T (element type), R (of the result: f32 for sums and products of f16, T elsewhere), OP (0 sum, 1 max, 2 min, 3 product), SPLIT (there is
// more than one chunk), SIZE, WIDTH, JOINED.

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  splits: u32,
  chunk: u32,
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read_write> output: array<R>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

// Extrema of anything and NaN are NaN.
fn combine(a: R, b: R) -> R {
  if (OP == 0u) { return a + b; }
  if (OP == 3u) { return a * b; }
  var extremum = min(a, b);
  if (OP == 1u) {
    extremum = max(a, b);
  }
  return select(extremum, a + b, is_nan(f32(a)) || is_nan(f32(b)));
}

// A chunk: the last one of n may be shorter.
fn chunk_of(group: u32, index: u32) -> Row {
  let rows = params.outer * params.splits * params.inner;
  var row = row_of(group, index, rows, params.n, params.inner);
  if (SPLIT) {
    let line = row.number / params.inner;
    let start = min(params.n, (line % params.splits) * params.chunk);
    row.first = ((line / params.splits) * params.n + start) * params.inner + row.number % params.inner;
    row.count = min(row.count, min(params.chunk, params.n - start));
  }
  return row;
}

var<workgroup> totals: array<R, SIZE>;

@compute @workgroup_size(SIZE)
fn reduce(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = chunk_of(group.y * groups.x + group.x, index);
  // What changes nothing: an extremum may see an element twice.
  var neutral = R(0);
  if (OP == 3u) {
    neutral = R(1);
  } else if (OP != 0u && row.count > 0u) {
    neutral = R(input[row.first]);
  }
  var total = neutral;
  for (var i = row.lane; i < row.count;) {
    var near = neutral;
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      near = combine(near, R(input[row.first + i * row.step]));
    }
    total = combine(total, near);
  }
  if (WIDTH > 1u) {
    totals[index] = total;
    workgroupBarrier();
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
      if (row.lane < half) {
        totals[index] = combine(totals[index], totals[index + half]);
      }
      workgroupBarrier();
    }
    total = totals[index];
  }
  if (row.lane == 0u && row.count > 0u) {
    output[row.number] = total;
  }
}

// Whether an element displaces another one: the first NaN is beyond everything.
fn beats(a: T, b: T) -> bool {
  let beyond = select((a < b), (a > b), OP == 1u);
  return !is_nan(f32(b)) && (beyond || is_nan(f32(a)));
}

var<workgroup> best_values: array<T, SIZE>;
var<workgroup> best_places: array<u32, SIZE>;

// The index of the largest (OP 1) or smallest (OP 2) element; the first one among equals.
@compute @workgroup_size(SIZE)
fn arg(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row_of(group.y * groups.x + group.x, index, params.outer * params.inner, params.n, params.inner);
  var best = T(0);
  if (row.count > 0u) {
    best = input[row.first];
  }
  var place = 0u;
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let value = input[row.first + i * row.step];
    if (beats(value, best)) {
      best = value;
      place = i;
    }
  }
  if (WIDTH > 1u) {
    best_values[index] = best;
    best_places[index] = place;
    workgroupBarrier();
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
      if (row.lane < half) {
        let value = best_values[index + half];
        let at = best_places[index + half];
        let isEqual = !beats(best, value);
        if (beats(value, best) || (isEqual && at < place)) {
          best = value;
          place = at;
          best_values[index] = best;
          best_places[index] = place;
        }
      }
      workgroupBarrier();
    }
  }
  if (row.lane == 0u && row.count > 0u) {
    indices[row.number] = i32(place);
  }
}
