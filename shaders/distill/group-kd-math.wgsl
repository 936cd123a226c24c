// import lib/logarithm.wgsl
// import lib/settled.wgsl

// Exponentials and logarithms for distillation, the same on every adapter and good to about one unit in the last place:
// WGSL lets exp() be wrong by 2|x| units, and small losses live on small differences.

// e^x; 0 below −87, where float32 ends.
fn exp_(x: f32) -> f32 {
  let n = round(max(x, -87.0) * 1.4426950409);
  // ln 2 in two parts: n times the first is exact.
  let r = settled(x - n * 0.693359375) + n * 2.12194440e-4;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666667 + r * (0.041666668 + r * (0.0083333338 + r * (0.0013888889 + r * 0.00019841270))))));
  return select(p * bitcast<f32>(u32(i32(min(n, 127.0)) + 127) << 23u), 0.0, x < -87.0);
}

// e^x − 1 without cancellation for |x| < 0.5.
fn expm1_series(x: f32) -> f32 {
  return x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.0083333338 + x * (0.0013888889 + x * (0.00019841270 + x * 2.4801587e-5)))))));
}

// e^−x − 1 + x without cancellation for |x| < 0.5: never negative, zero only at 0.
fn psi_series(x: f32) -> f32 {
  return x * x * (0.5 - x * (0.16666667 - x * (0.041666668 - x * (0.0083333338 - x * (0.0013888889 - x * (0.00019841270 - x * 2.4801587e-5))))));
}

// ln(1 + x) for x ≥ 0.
fn log1p_(x: f32) -> f32 {
  if (x < 0.41) {
    return twice_atanh(x / (2.0 + x));
  }
  return log_(1.0 + x);
}

fn is_finite_bits(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
