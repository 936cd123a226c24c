// import lib/quads.wgsl
// import matmul/params.wgsl

// Matrix product in quads (see lib/quads.wgsl): c = a·b (+ bias).
// Columns come in fours; so do terms, or rows where neighbours in a belong to neighbouring rows.
//
// Injected besides: R (how c is stored: f32 or f16), A_ROWS (whether neighbours in a belong to neighbouring rows, not terms),
// B_TERMS (whether neighbours in b belong to neighbouring terms, not columns).

@group(0) @binding(0) var<storage, read> a: array<vec4<S>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<S>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<R>>;
@group(0) @binding(4) var<uniform> params: Params;

// Four terms from k on of the 16 rows from `first` on.
fn left(base: u32, first: u32, k: u32, place: u32) -> Held {
  var x: Held;
  for (var s = 0u; s < SLOTS; s++) {
    let i = s * QUADS + place;
    if (A_ROWS) {
      // Quad i holds term i / 4 of four rows.
      let row = min(first + i % 4u * 4u, params.m - 4u);
      x[s] = vec4<f32>(a[(base + row) / 4u + (k + i / 4u) * (params.aCol / 4u)]);
    } else {
      let row = min(first + i, params.m - 1u);
      x[s] = vec4<f32>(a[(base + k) / 4u + row * (params.aRow / 4u)]);
    }
  }
  return x;
}

// Four terms from k on of the lane's quad of columns.
fn right(base: u32, k: u32) -> mat4x4<f32> {
  let step = select(params.bRow, params.bCol, B_TERMS) / 4u;
  let first = base / 4u + select(k * step, k / 4u, B_TERMS);
  let w = matrixOf(b[first], b[first + step], b[first + 2u * step], b[first + 3u * step]);
  if (B_TERMS) {
    return transpose(w);
  }
  return w;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let quads = params.n / 4u;
  let columnGroups = (quads + QUADS - 1u) / QUADS;
  let rowGroups = (params.m + SPAN * (LANES / QUADS) - 1u) / (SPAN * (LANES / QUADS));
  let at = group.y * groups.x + group.x;
  let layer = at / (columnGroups * rowGroups);
  if (layer >= params.batch * params.splits) {
    return;
  }
  let batch = layer % params.batch;
  let place = lane % QUADS;
  let row = lane - place;
  let first = ((at / columnGroups) % rowGroups * (LANES / QUADS) + lane / QUADS) * SPAN;
  let quad = at % columnGroups * QUADS + place;
  let column = min(quad, quads - 1u) * 4u;
  let leftBase = batch * params.aBatch;
  let rightBase = batch * params.bBatch + column * params.bCol;
  let start = layer / params.batch * params.chunk;

  var sums: array<Block, BLOCKS>;
  for (var k = start; k < min(start + params.chunk, params.k); k += 4u) {
    let w = right(rightBase, k);
    for (var b = 0u; b < BLOCKS; b++) { // unrolled
      let x = left(leftBase, first + 16u * b, k, place);
      if (A_ROWS) {
        sums[b] = multiplyTurned(sums[b], x, w, row);
      } else {
        sums[b] = multiply(sums[b], x, w, row);
      }
    }
  }

  var shift = vec4<f32>();
  if (params.hasBias != 0u) {
    shift = bias[column / 4u];
  }
  if (quad >= quads) {
    return;
  }
  var results = shiftedRows(sums, shift);
  for (var i = 0u; i < SPAN && first + i < params.m; i++) {
    c[(layer * params.m + first + i) * quads + quad] = vec4<R>(results[i]);
  }
}
