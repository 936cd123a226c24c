// import norm/batch-norm-walk.wgsl
// import norm/moments.wgsl

// Batch norm over the last axis of x: a launch that takes each part's moments, and one that adds them up and normalises.
//
// Where a channel's mean is far from zero for its spread, everything is computed on x − shift with a shift near the mean:
// a mean of 1000 with a deviation of 1 leaves no float32 digits for the normalised value otherwise.

struct Params {
  rows: u32,
  columns: u32,
  width: u32,
  span: u32,
  relu: u32,     // apply it last
  residual: u32, // add it
  epsilon: f32,
  momentum: f32,
}

@group(0) @binding(0) var<storage, read> input: array<S>;
@group(0) @binding(1) var<storage, read> weight: array<V>;
@group(0) @binding(2) var<storage, read> bias: array<V>;
// A mean and a sum of squares about it for each part: [parts, 2, columns].
@group(0) @binding(3) var<storage, read_write> partial: array<V>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(5) var<storage, read_write> running_var: array<V>;
// [shift, weight, bias, centre, 1/deviation] × columns, where x̂ = (x − shift − centre)/deviation. The first launch writes
// the first three: the second one has no bindings left for what they come from.
@group(0) @binding(6) var<storage, read_write> statistics: array<V>;
@group(0) @binding(7) var<storage, read> residual: array<S>;
@group(0) @binding(8) var<storage, read_write> output: array<S>;
@group(0) @binding(9) var<uniform> params: Params;

// The mean of four elements where they lie far from zero for their spread. 0 elsewhere: a mean that is small beside the
// deviation would lose its digits to a shift.
fn shift_of(column: u32) -> V {
  let last = params.rows - 1u;
  let a = V(input[column]);
  let b = V(input[min(last, 1u) * params.columns + column]);
  let c = V(input[min(last, 2u) * params.columns + column]);
  let d = V(input[min(last, 3u) * params.columns + column]);
  let mean = ((a + b) + (c + d)) * 0.25;
  let spread = max(max(a, b), max(c, d)) - min(min(a, b), min(c, d));
  return select(V(0.0), mean, abs(mean) > 8.0 * spread);
}

@compute @workgroup_size(SIZE)
fn partials(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let shift = shift_of(place.column);
  let jump = place.jump;
  var at = place.first;
  var all = Moments(V(0.0), V(0.0));
  var n = 0u;
  for (; n + 4u <= place.count; n += 4u) {
    let a = V(input[at]) - shift;
    let b = V(input[at + jump]) - shift;
    let c = V(input[at + 2u * jump]) - shift;
    let d = V(input[at + 3u * jump]) - shift;
    at += 4u * jump;
    all = merge(all, f32(n), moments_of(a, b, c, d), 4.0);
  }
  for (; n < place.count; n++) {
    all = merge(all, f32(n), Moments(V(input[at]) - shift, V(0.0)), 1.0);
    at += jump;
  }
  let mean = total(index, all.mean * f32(n)) / f32(rows_of(place.part));
  let delta = all.mean - mean;
  let squares = total(index, all.squares + delta * delta * f32(n));
  if (place.leads) {
    partial[2u * place.part * params.columns + place.column] = mean;
    partial[(2u * place.part + 1u) * params.columns + place.column] = squares;
    if (place.part == 0u) {
      store(0u, place.column, shift);
      store(1u, place.column, weight[place.column]);
      store(2u, place.column, bias[place.column]);
    }
  }
}

fn store(row: u32, column: u32, value: V) {
  statistics[row * params.columns + column] = value;
}

// By the batch's own statistics, which move the running ones.
@compute @workgroup_size(SIZE)
fn normalise(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let column = place.column;
  var sum = V(0.0);
  for (var k = place.member; k < parts(); k += team()) {
    sum += partial[2u * k * params.columns + column] * f32(rows_of(k));
  }
  let centre = total(index, sum) / f32(params.rows);
  var squares = V(0.0);
  for (var k = place.member; k < parts(); k += team()) {
    let delta = partial[2u * k * params.columns + column] - centre;
    squares += partial[(2u * k + 1u) * params.columns + column] + delta * delta * f32(rows_of(k));
  }
  squares = total(index, squares);
  let inverse = inverseSqrt(squares / f32(params.rows) + params.epsilon);
  let shift = statistics[column];
  if (place.part == 0u && place.leads) {
    store(3u, column, centre);
    store(4u, column, inverse);
    let unbiased = squares / f32(params.rows - 1u);
    running_mean[column] += (shift + centre - running_mean[column]) * params.momentum;
    running_var[column] += (unbiased - running_var[column]) * params.momentum;
  }
  let scale = inverse * statistics[params.columns + column];
  write(place, shift, scale, statistics[2u * params.columns + column] - centre * scale);
}

// By the running statistics.
@compute @workgroup_size(SIZE)
fn inference(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let column = place.column;
  let shift = running_mean[column];
  let inverse = inverseSqrt(running_var[column] + params.epsilon);
  if (place.part == 0u && place.leads) {
    store(0u, column, shift);
    store(1u, column, weight[column]);
    store(2u, column, bias[column]);
    store(3u, column, V(0.0));
    store(4u, column, inverse);
  }
  write(place, shift, inverse * weight[column], bias[column]);
}

fn write(place: Place, shift: V, scale: V, offset: V) {
  var at = place.first;
  for (var n = 0u; n < place.count; n++) {
    var value = (V(input[at]) - shift) * scale + offset;
    if (params.residual == 1u) {
      value += V(residual[at]);
    }
    if (params.relu == 1u) {
      value = select(max(value, V(0.0)), value, not_a_number(value)); // max would make it 0
    }
    output[at] = S(value);
    at += place.jump;
  }
}
