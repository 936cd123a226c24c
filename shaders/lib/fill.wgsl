// Tensors of one value, or of the whole numbers in order. Each thread writes many elements, all of them together neighbouring
// ones: on a CPU, launching a thread for each would take longer than writing them.
//
// Injected: T (how elements are stored; u32 for `fill`, which writes words, whatever they hold).

struct Params {
  size: u32,
  threads: u32, // in all
  word: u32,    // of `fill`
}

@group(0) @binding(0) var<storage, read_write> output: array<T>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x; i < params.size; i += params.threads) {
    output[i] = T(params.word);
  }
}

@compute @workgroup_size(64)
fn arange(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x; i < params.size; i += params.threads) {
    output[i] = T(i);
  }
}
