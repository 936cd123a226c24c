// output[to + Σ iₖ·toₖ] = input[from + Σ iₖ·fromₖ] over an index space of up to 8 dimensions: transpose, slice, strided
// slice, flip, pad, concat and their gradients are all this one walk. Strides may be negative.
//
// Injected: T (element type), RANK.

struct Params {
  size: u32,
  row: u32, // threads along x
  from_offset: u32,
  to_offset: u32,
  dims: array<vec4<u32>, 2>,
  from_strides: array<vec4<i32>, 2>,
  to_strides: array<vec4<i32>, 2>,
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read_write> output: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i >= params.size) {
    return;
  }
  var rest = i;
  var a = i32(params.from_offset);
  var b = i32(params.to_offset);
  for (var axis = RANK; axis > 0u; axis--) {
    let at = axis - 1u;
    let n = params.dims[at / 4u][at % 4u];
    let k = i32(rest % n);
    rest /= n;
    a += k * params.from_strides[at / 4u][at % 4u];
    b += k * params.to_strides[at / 4u][at % 4u];
  }
  output[b] = input[a];
}
