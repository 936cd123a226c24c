// Max and average pooling of images [n, h, w, c], and their gradients, one thread an element of V of what is written.
// Gradients gather: an input looks at the windows that hold it, so nothing is added up in an order that may vary.
//
// Injected: V (f32, or vec4<f32> for channels in fours), S (how one is stored: V or its f16 equivalent), I (u32 or vec4<u32>
// likewise), PADDED (averages count the padding).

struct Params {
  batch: u32,
  // Of the input and of the output; columns: channels in units of V.
  height: i32,
  width: i32,
  out_height: i32,
  out_width: i32,
  columns: u32,
  kernel: vec2<i32>,
  stride: vec2<i32>,
  padding: vec2<i32>,
}

@group(0) @binding(0) var<storage, read> input: array<S>;
// Where in its window each maximum was: row · kernel width + column.
@group(0) @binding(1) var<storage, read_write> place: array<I>;
@group(0) @binding(2) var<storage, read> gradient: array<S>;
@group(0) @binding(3) var<storage, read_write> output: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

struct Element {
  image: i32,
  row: i32,
  column: i32,
  channel: u32,
}

fn element(index: u32, height: i32, width: i32) -> Element {
  let pixel = index / params.columns;
  let row = pixel / u32(width);
  return Element(i32(row) / height, i32(row) % height, i32(pixel % u32(width)), index % params.columns);
}

fn at_input(e: Element, row: i32, column: i32) -> u32 {
  return u32((e.image * params.height + row) * params.width + column) * params.columns + e.channel;
}

fn at_output(e: Element, row: i32, column: i32) -> u32 {
  return u32((e.image * params.out_height + row) * params.out_width + column) * params.columns + e.channel;
}

// First row and column of an output's window, and the ones past its end, within the image.
fn window(row: i32, column: i32) -> vec4<i32> {
  let first = vec2<i32>(row, column) * params.stride - params.padding;
  let end = min(first + params.kernel, vec2<i32>(params.height, params.width));
  return vec4<i32>(max(first, vec2<i32>(0)), end);
}

// First output row and column whose window holds an input, and the ones past the last.
fn holders(e: Element) -> vec4<i32> {
  let at = vec2<i32>(e.row, e.column) + params.padding;
  let first = max((at - params.kernel + params.stride) / params.stride, vec2<i32>(0));
  let end = min(at / params.stride + 1, vec2<i32>(params.out_height, params.out_width));
  // Division rounds towards zero: a window that would begin before the first one is none.
  return vec4<i32>(select(first, vec2<i32>(0), at < params.kernel), end);
}

fn share(row: i32, column: i32) -> f32 {
  if (PADDED) {
    return 1.0 / f32(params.kernel.x * params.kernel.y);
  }
  let w = window(row, column);
  return 1.0 / f32((w.z - w.x) * (w.w - w.y));
}

// The first maximum in row order wins; NaN wins over everything, as in PyTorch.
@compute @workgroup_size(64)
fn max_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= params.batch * u32(params.out_height * params.out_width) * params.columns) {
    return;
  }
  let e = element(index, params.out_height, params.out_width);
  let w = window(e.row, e.column);
  let first = vec2<i32>(e.row, e.column) * params.stride - params.padding;
  var best = V(input[at_input(e, w.x, w.y)]);
  var best_place = I(u32((w.x - first.x) * params.kernel.y + w.y - first.y));
  for (var row = w.x; row < w.z; row++) {
    for (var column = w.y; column < w.w; column++) {
      let value = V(input[at_input(e, row, column)]);
      let not_a_number = (bitcast<I>(value) & I(0x7fffffffu)) > I(0x7f800000u);
      let better = (value > best) | not_a_number;
      best = select(best, value, better);
      best_place = select(best_place, I(u32((row - first.x) * params.kernel.y + column - first.y)), better);
    }
  }
  output[index] = S(best);
  place[index] = best_place;
}

@compute @workgroup_size(64)
fn max_gradient(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= params.batch * u32(params.height * params.width) * params.columns) {
    return;
  }
  let e = element(index, params.height, params.width);
  let h = holders(e);
  var total = V(0.0);
  for (var row = h.x; row < h.z; row++) {
    for (var column = h.y; column < h.w; column++) {
      let inside = vec2<i32>(e.row, e.column) + params.padding - vec2<i32>(row, column) * params.stride;
      let here = I(u32(inside.x * params.kernel.y + inside.y));
      let at = at_output(e, row, column);
      total += select(V(0.0), V(gradient[at]), place[at] == here);
    }
  }
  output[index] = S(total);
}

// What stands in the input where the maxima were: the gradient of `max_gradient`.
@compute @workgroup_size(64)
fn max_taken(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= params.batch * u32(params.out_height * params.out_width) * params.columns) {
    return;
  }
  let e = element(index, params.out_height, params.out_width);
  let w = window(e.row, e.column);
  let first = vec2<i32>(e.row, e.column) * params.stride - params.padding;
  var taken = V(0.0);
  for (var row = w.x; row < w.z; row++) {
    for (var column = w.y; column < w.w; column++) {
      let here = I(u32((row - first.x) * params.kernel.y + column - first.y));
      taken = select(taken, V(input[at_input(e, row, column)]), place[index] == here);
    }
  }
  output[index] = S(taken);
}

@compute @workgroup_size(64)
fn average_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= params.batch * u32(params.out_height * params.out_width) * params.columns) {
    return;
  }
  let e = element(index, params.out_height, params.out_width);
  let w = window(e.row, e.column);
  var total = V(0.0);
  for (var row = w.x; row < w.z; row++) {
    var line = V(0.0);
    for (var column = w.y; column < w.w; column++) {
      line += V(input[at_input(e, row, column)]);
    }
    total += line;
  }
  output[index] = S(total * share(e.row, e.column));
}

@compute @workgroup_size(64)
fn average_gradient(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= params.batch * u32(params.height * params.width) * params.columns) {
    return;
  }
  let e = element(index, params.height, params.width);
  let h = holders(e);
  var total = V(0.0);
  for (var row = h.x; row < h.z; row++) {
    for (var column = h.y; column < h.w; column++) {
      total += V(gradient[at_output(e, row, column)]) * share(row, column);
    }
  }
  output[index] = S(total);
}
