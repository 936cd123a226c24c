// Names stay: expressions of elementwise operations call these functions too.
//
// What is not finite stays what it is. WGSL lets an adapter assume that NaN and ∞ never happen: `x != x` may be dropped, max
// and min take the other operand, SwiftShader's exp(NaN) is ∞ and its log(−1) 0. Bits cannot be assumed away.

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// Made of a number, because constant expressions must be finite.
fn not_a_number_of(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// NaN if either is.
fn larger(a: f32, b: f32) -> f32 {
  return select(max(a, b), a + b, is_nan(a) || is_nan(b));
}

fn smaller(a: f32, b: f32) -> f32 {
  return select(min(a, b), a + b, is_nan(a) || is_nan(b));
}

fn safe_exp(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}

// −∞ at 0, NaN below; what is smaller than normal numbers is scaled up, because adapters' logarithms read its exponent wrong.
fn safe_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let scaled = log(select(x, x * 0x1p24, x < 0x1p-126)) - select(0.0, 16.635532, x < 0x1p-126);
  let value = select(scaled, not_a_number_of(x), bits > 0x7f800000u);
  return select(value, bitcast<f32>((bits & 0x80000000u) | 0xff800000u), x == 0.0);
}
