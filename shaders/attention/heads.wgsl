// Features of [batch, length, all] as heads [batch, heads, length, depth], and back. One thread for each T.
//
// Injected: T (element type, or fours of it where a head's depth has fours: all sizes are counted in them).

struct Params {
  size: u32, // of all heads
  row: u32,  // threads along x
  heads: u32,
  length: u32,
  depth: u32, // of a head
  all: u32,   // features of a row
  first: u32, // of the first head
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read_write> output: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

// Where an element of the heads lies among the features.
fn feature(i: u32) -> u32 {
  let row = i / params.depth;
  let head = row / params.length;
  let line = (head / params.heads) * params.length + row % params.length;
  return line * params.all + params.first + (head % params.heads) * params.depth + i % params.depth;
}

@compute @workgroup_size(64)
fn cut(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i < params.size) {
    output[i] = input[feature(i)];
  }
}

@compute @workgroup_size(64)
fn join(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i < params.size) {
    output[feature(i)] = input[i];
  }
}
