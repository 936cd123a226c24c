// import norm/batch-norm-walk.wgsl

// The gradient of batch norm. With g the gradient that passed the ReLU, x̂ the normalised value and the means over the batch:
// dx = weight/deviation · (g − mean g − x̂ · mean(g x̂)).

struct Params {
  rows: u32,
  columns: u32,
  width: u32,
  span: u32,
  relu: u32,     // there was one, and dy is not masked yet
  residual: u32, // store its gradient
  batch: u32,    // the statistics were the batch's own, and have a gradient
}

@group(0) @binding(0) var<storage, read> dy: array<S>;
@group(0) @binding(1) var<storage, read> output: array<S>;
@group(0) @binding(2) var<storage, read> input: array<S>;
@group(0) @binding(3) var<storage, read> statistics: array<V>;
// Σ g and Σ g·(x − mean) of each part: [parts, 2, columns].
@group(0) @binding(4) var<storage, read_write> partial: array<V>;
@group(0) @binding(5) var<storage, read_write> dresidual: array<S>;
@group(0) @binding(6) var<storage, read_write> dweight: array<V>;
@group(0) @binding(7) var<storage, read_write> dbias: array<V>;
@group(0) @binding(8) var<storage, read_write> dx: array<S>;
@group(0) @binding(9) var<uniform> params: Params;

// What passes the ReLU, at NaN too, as in PyTorch.
fn passed(at: u32) -> V {
  if (params.relu == 1u) {
    let y = V(output[at]);
    return select(V(0.0), V(dy[at]), (y > V(0.0)) | not_a_number(y));
  }
  return V(dy[at]);
}

@compute @workgroup_size(SIZE)
fn partials(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let shift = statistics[place.column];
  let centre = statistics[3u * params.columns + place.column];
  var at = place.first;
  var plain = V(0.0);
  var weighted = V(0.0);
  // Some rows at a time: one long chain of additions would lose digits.
  for (var n = 0u; n < place.count;) {
    var near_plain = V(0.0);
    var near_weighted = V(0.0);
    for (let end = min(place.count, n + 32u); n < end; n++) {
      let g = passed(at);
      near_plain += g;
      near_weighted += g * (V(input[at]) - shift);
      if (params.residual == 1u) {
        dresidual[at] = S(g);
      }
      at += place.jump;
    }
    plain += near_plain;
    weighted += near_weighted;
  }
  plain = total(index, plain);
  // x − shift first, and the centre of that at the end: a compiler may turn x − shift − centre into x − (shift + centre).
  weighted = total(index, weighted) - centre * plain;
  if (place.leads) {
    partial[2u * place.part * params.columns + place.column] = plain;
    partial[(2u * place.part + 1u) * params.columns + place.column] = weighted;
  }
}

// Σ g, which is the gradient of the bias, and that of the weight: Σ g·x̂.
struct Sums {
  plain: V,
  normalised: V,
}

fn sums_of(place: Place, index: u32) -> Sums {
  var plain = V(0.0);
  var weighted = V(0.0);
  for (var k = place.member; k < parts(); k += team()) {
    plain += partial[2u * k * params.columns + place.column];
    weighted += partial[(2u * k + 1u) * params.columns + place.column];
  }
  return Sums(total(index, plain), total(index, weighted) * statistics[4u * params.columns + place.column]);
}

fn store(column: u32, all: Sums) {
  dweight[column] = all.normalised;
  dbias[column] = all.plain;
}

@compute @workgroup_size(SIZE)
fn totals(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let all = sums_of(place, index);
  if (place.leads) {
    store(place.column, all);
  }
}

@compute @workgroup_size(SIZE)
fn inputs(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let place = place_of(group, index);
  let column = place.column;
  let all = sums_of(place, index);
  if (place.part == 0u && place.leads) {
    store(column, all);
  }
  let shift = statistics[column];
  let inverse = statistics[4u * params.columns + column];
  // dx = scale·g + slope·(x − shift) + offset.
  let scale = inverse * statistics[params.columns + column];
  let slope = -scale * inverse * all.normalised / f32(params.rows);
  let offset = -scale * all.plain / f32(params.rows) - slope * statistics[3u * params.columns + column];
  var at = place.first;
  for (var n = 0u; n < place.count; n++) {
    var value = scale * passed(at);
    if (params.batch == 1u) {
      value += slope * (V(input[at]) - shift) + offset;
    }
    dx[at] = S(value);
    at += place.jump;
  }
}
