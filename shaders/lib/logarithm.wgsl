// import lib/settled.wgsl

// Logarithms, the same on every adapter and good to about one unit in the last place: WGSL lets log() be wrong by 2⁻²¹ near 1.

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
