// Batch norm over the last axis of x, seen as [rows, columns] of V: three passes of one walk. A thread keeps to one
// column and a chunk of rows; neighbouring threads take neighbouring columns.
//
// Where a channel's mean is far from zero for its spread, everything is computed on x − shift with a shift near the mean:
// a mean of 1000 beside a deviation of 1 leaves no float32 digits for the normalised value otherwise.
//
// Injected: V (f32, or vec4<f32> for channels in fours, where they are walked), LANES (threads that add up one column's
// chunks: a power of two up to 64), RESIDUAL, RELU.

struct Params {
  rows: u32,
  columns: u32,
  chunks: u32,
  // Chunk k holds the rows k·stride, k·stride + step, … below k·stride + span.
  stride: u32,
  span: u32,
  step: u32,
  epsilon: f32,
  momentum: f32,
}

@group(0) @binding(0) var<storage, read> input: array<V>;
// A mean and a sum of squares about it for each chunk: [chunks, 2, columns].
@group(0) @binding(1) var<storage, read_write> partial: array<V>;
@group(0) @binding(2) var<storage, read> weight: array<V>;
@group(0) @binding(3) var<storage, read> bias: array<V>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(5) var<storage, read_write> running_var: array<V>;
// [shift, centre, 1/deviation, scale, offset] × columns, where y = (x − shift)·scale + offset.
@group(0) @binding(6) var<storage, read_write> statistics: array<V>;
@group(0) @binding(7) var<storage, read> residual: array<V>;
@group(0) @binding(8) var<storage, read_write> output: array<V>;
@group(0) @binding(9) var<uniform> params: Params;

fn count_of(chunk: u32) -> u32 {
  let first = chunk * params.stride;
  return (min(params.rows, first + params.span) - first + params.step - 1u) / params.step;
}

// The mean of four elements where they lie far from zero for their spread. 0 elsewhere: a mean that is small beside the
// deviation would lose its digits to a shift.
fn shift_of(column: u32) -> V {
  let last = params.rows - 1u;
  let a = input[column];
  let b = input[min(last, 1u) * params.columns + column];
  let c = input[min(last, 2u) * params.columns + column];
  let d = input[min(last, 3u) * params.columns + column];
  let mean = ((a + b) + (c + d)) * 0.25;
  let spread = max(max(a, b), max(c, d)) - min(min(a, b), min(c, d));
  return select(V(0.0), mean, abs(mean) > 8.0 * spread);
}

// Adds a group of n2 values (mean, squares about it) to one of n1: Chan, Golub and LeVeque (1979).
struct Moments {
  mean: V,
  squares: V,
}

fn merge(a: Moments, n1: f32, b: Moments, n2: f32) -> Moments {
  let delta = b.mean - a.mean;
  let share = n2 / (n1 + n2);
  return Moments(a.mean + delta * share, a.squares + b.squares + delta * delta * (n1 * share));
}

@compute @workgroup_size(64)
fn partials(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x % params.columns;
  let chunk = id.x / params.columns;
  if (chunk >= params.chunks) {
    return;
  }
  let shift = shift_of(column);
  let jump = params.step * params.columns;
  let count = count_of(chunk);
  var at = chunk * params.stride * params.columns + column;
  var all = Moments(V(0.0), V(0.0));
  var n = 0u;
  // Four rows at a time about their own mean: exact as Welford's method, without its chain of divisions.
  for (; n + 4u <= count; n += 4u) {
    let a = input[at] - shift;
    let b = input[at + jump] - shift;
    let c = input[at + 2u * jump] - shift;
    let d = input[at + 3u * jump] - shift;
    at += 4u * jump;
    let mean = ((a + b) + (c + d)) * 0.25;
    let squares = ((a - mean) * (a - mean) + (b - mean) * (b - mean)) + ((c - mean) * (c - mean) + (d - mean) * (d - mean));
    all = merge(all, f32(n), Moments(mean, squares), 4.0);
  }
  for (; n < count; n++) {
    all = merge(all, f32(n), Moments(input[at] - shift, V(0.0)), 1.0);
    at += jump;
  }
  partial[2u * chunk * params.columns + column] = all.mean;
  partial[(2u * chunk + 1u) * params.columns + column] = all.squares;
}

var<workgroup> sums: array<V, 64>;

// The sum over the LANES threads of one column, in all of them.
fn total(index: u32, value: V) -> V {
  if (LANES == 1u) {
    return value;
  }
  sums[index] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (index % LANES < half) {
      sums[index] += sums[index + half];
    }
    workgroupBarrier();
  }
  let result = sums[index - index % LANES];
  workgroupBarrier();
  return result;
}

// LANES threads a column: the chunks' moments become the batch's, and the running statistics move.
@compute @workgroup_size(64)
fn batch(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let own = group.x * (64u / LANES) + index / LANES;
  let column = min(own, params.columns - 1u);
  var sum = V(0.0);
  for (var k = index % LANES; k < params.chunks; k += LANES) {
    sum += partial[2u * k * params.columns + column] * f32(count_of(k));
  }
  let centre = total(index, sum) / f32(params.rows);
  var squares = V(0.0);
  for (var k = index % LANES; k < params.chunks; k += LANES) {
    let delta = partial[2u * k * params.columns + column] - centre;
    squares += partial[(2u * k + 1u) * params.columns + column] + delta * delta * f32(count_of(k));
  }
  squares = total(index, squares);
  if (index % LANES == 0u && own == column) {
    let shift = shift_of(column);
    store(column, shift, centre, squares / f32(params.rows));
    let unbiased = squares / f32(params.rows - 1u);
    running_mean[column] += (shift + centre - running_mean[column]) * params.momentum;
    running_var[column] += (unbiased - running_var[column]) * params.momentum;
  }
}

// One thread a column, for inference: the running statistics are the ones to use.
@compute @workgroup_size(64)
fn running(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.columns) {
    store(id.x, running_mean[id.x], V(0.0), running_var[id.x]);
  }
}

fn store(column: u32, shift: V, centre: V, variance: V) {
  let inverse = inverseSqrt(variance + params.epsilon);
  let scale = inverse * weight[column];
  statistics[column] = shift;
  statistics[params.columns + column] = centre;
  statistics[2u * params.columns + column] = inverse;
  statistics[3u * params.columns + column] = scale;
  statistics[4u * params.columns + column] = bias[column] - centre * scale;
}

@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x % params.columns;
  let chunk = id.x / params.columns;
  if (chunk >= params.chunks) {
    return;
  }
  let shift = statistics[column];
  let scale = statistics[3u * params.columns + column];
  let offset = statistics[4u * params.columns + column];
  let count = count_of(chunk);
  var at = chunk * params.stride * params.columns + column;
  for (var n = 0u; n < count; n++) {
    var value = (input[at] - shift) * scale + offset;
    if (RESIDUAL) {
      value += residual[at];
    }
    if (RELU) {
      value = max(value, V(0.0));
    }
    output[at] = value;
    at += params.step * params.columns;
  }
}
