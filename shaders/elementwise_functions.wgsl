// Functions that operation expressions may call. Ahead of every elementwise kernel; unused ones cost nothing.

fn is_nan(x: f32) -> bool {
  // Compilers may drop `x != x`: the bits tell.
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// WGSL's pow is undefined for a negative base; whole exponents keep their sign as in C.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (a == 0.0) { return select(0.0, bitcast<f32>(0x7f800000u | (params.size & 0u)), b < 0.0); }
  let magnitude = pow(abs(a), b);
  if (a > 0.0) { return magnitude; }
  if (floor(b) != b) { return bitcast<f32>(0x7fc00000u | (params.size & 0u)); }
  let half_b = b * 0.5;
  return select(-magnitude, magnitude, floor(half_b) == half_b);
}

// WGSL's tanh may overflow for large arguments, where the result is 1 in f32, and cancel for small ones: a series there.
fn safe_tanh(x: f32) -> f32 {
  if (abs(x) < 0.1) {
    let q = x * x;
    return x * (1.0 + q * (-0.33333333 + q * (0.13333333 + q * -0.053968254)));
  }
  return tanh(clamp(x, -10.0, 10.0));
}

// erf to 1.5e-7: Abramowitz and Stegun, formula 7.1.26; a series near zero, where the formula cancels.
fn erf(x: f32) -> f32 {
  let z = abs(x);
  if (z < 0.5) {
    let q = x * x;
    return x * (1.1283791671 + q * (-0.3761263890 + q * (0.1128379167 + q * (-0.0268661706 + q * (0.0052239776 + q * -0.0008548327)))));
  }
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - poly * exp(-z * z));
}

fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log(1.0 + exp(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
