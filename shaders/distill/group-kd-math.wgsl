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

// 2 atanh(s) = ln((1 + s) / (1 − s)) for |s| ≤ 0.2.
fn twice_atanh(s: f32) -> f32 {
  let q = s * s;
  return 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * (0.11111111 + q * 0.09090909)))));
}

// ln x for a positive normal number.
fn log_(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // The exponent that leaves a mantissa between √½ and √2.
  let e = (i32(bits) - 0x3f3504f3) >> 23u;
  let m = bitcast<f32>(u32(i32(bits) - (e << 23u)));
  let n = f32(e);
  return settled(twice_atanh((m - 1.0) / (m + 1.0)) - n * 2.12194440e-4) + n * 0.693359375;
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
