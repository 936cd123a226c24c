// Sums of squares of any size, whose squares alone would not fit into f32: small, medium and large values are added up apart,
// the first and the last scaled by powers of two (Blue 1978, "A Portable Fortran Program to Find the Euclidean Norm of a Vector").
// A sum is a vec4: of small values · 2⁸⁰, medium ones, large ones · 2⁻⁸⁰, and 0, or 1 with an infinity, 2 with a NaN among them.

fn add_square(sum: vec4<f32>, value: f32) -> vec4<f32> {
  let magnitude = bitcast<u32>(value) & 0x7fffffffu;
  if (magnitude >= 0x7f800000u) {
    return vec4(sum.xyz, max(sum.w, select(1.0, 2.0, magnitude > 0x7f800000u)));
  }
  let small = abs(value) < 0x1p-48;
  let large = abs(value) > 0x1p48;
  let fitted = value * select(select(1.0, 0x1p80, small), 0x1p-80, large);
  let square = fitted * fitted;
  return sum + vec4(select(0.0, square, small), select(square, 0.0, small || large), select(0.0, square, large), 0.0);
}

fn add_squares(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4(a.xyz + b.xyz, max(a.w, b.w));
}

// Without squaring what was not added up yet: two factors 2⁻⁸⁰ in a row would be folded to 0 by compilers.
fn root_of_both(a: f32, b: f32) -> f32 {
  let top = max(a, b);
  if (top == 0.0) {
    return 0.0;
  }
  let ratio = min(a, b) / top;
  return top * sqrt(1.0 + ratio * ratio);
}

// Of finite values only.
fn root_of(sum: vec4<f32>) -> f32 {
  return root_of_both(root_of_both(sqrt(sum.x) * 0x1p-80, sqrt(sum.y)), sqrt(sum.z) * 0x1p80);
}
