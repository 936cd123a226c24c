// Sums in the order in which they are written, where it is what they are exact by: WGSL lets compilers reassociate. Kernels that
// import this provide `unknown_zero`, which is always 0, and which no compiler knows to be.

// A number as it was rounded to here.
fn settled(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | unknown_zero());
}
