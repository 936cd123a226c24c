// Names stay: src/ops/elementwise/elementwise-source.ts writes calls.
//
// Which element of an operand belongs to an element of the output, where their shapes differ.
//
// Injected: RANK (of the collapsed broadcast shape). Who imports it binds `params`, with `dims` and with `strides`, which has
// two vectors for each tensor operand.

// The element of tensor operand `which` that broadcasts to output element `i`.
fn broadcast_index(i: u32, which: u32) -> u32 {
  var rest = i;
  var index = 0u;
  for (var axis = RANK; axis > 0u; axis--) {
    let at = axis - 1u;
    let n = params.dims[at / 4u][at % 4u];
    index += (rest % n) * params.strides[which * 2u + at / 4u][at % 4u];
    rest /= n;
  }
  return index;
}
