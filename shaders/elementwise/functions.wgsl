// import lib/nonfinite.wgsl
// import lib/settled.wgsl
// import lib/turned.wgsl

// Names stay: expressions of operations call these functions, users' own among them.
//
// Functions that operation expressions may call. Every elementwise kernel has them; unused ones cost nothing.

fn clamped(x: f32, low: f32, high: f32) -> f32 {
  return smaller(larger(x, low), high);
}

// As C's pow, where WGSL's is undefined for a negative base and whatever an adapter makes of what is not finite.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return a + b; }
  let base = abs(a);
  let infinity = bitcast<f32>(0x7f800000u | (params.size & 0u));
  var magnitude = pow(base, b);
  if (base == 1.0) {
    magnitude = 1.0;
  } else if (base == 0.0 || !is_finite(a) || !is_finite(b)) {
    magnitude = select(0.0, infinity, (base > 1.0) == (b > 0.0));
  }
  // Beyond the digits of f32 every number is even.
  let whole = floor(b) == b;
  let odd = whole && floor(b * 0.5) != b * 0.5;
  if (a < 0.0 && is_finite(a) && !whole) { return not_a_number_of(a); }
  return select(magnitude, -magnitude, odd && bitcast<u32>(a) >= 0x80000000u);
}

fn signum(x: f32) -> f32 {
  return select(sign(x), x, is_nan(x));
}

// No tensor has 2³¹ elements.
fn unknown_zero() -> u32 {
  return params.size >> 31u;
}

// Sine and cosine by Cody and Waite's reduction to [−π/4, π/4]; beyond its reach as the adapter has them.
fn sine(x: f32) -> f32 {
  return select(reduced(x, 0u), select(sin(x), not_a_number_of(x), !is_finite(x)), !(abs(x) < 8192.0));
}

fn cosine(x: f32) -> f32 {
  return select(reduced(x, 1u), select(cos(x), not_a_number_of(x), !is_finite(x)), !(abs(x) < 8192.0));
}

// sin(x + quarters·π/2)
fn reduced(x: f32, quarters: u32) -> f32 {
  let turns = round(x * 0.636619772);
  let r = settled(settled(x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  return turned(r, u32(i32(turns)) + quarters);
}

// WGSL's tanh may overflow for large arguments, where the result is 1 in f32, and cancel for small ones: a series there.
fn safe_tanh(x: f32) -> f32 {
  if (abs(x) < 0.1) {
    let q = x * x;
    return x * (1.0 + q * (-0.33333333 + q * (0.13333333 + q * -0.053968254)));
  }
  return select(tanh(clamp(x, -10.0, 10.0)), x, is_nan(x));
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
  return signum(x) * (1.0 - poly * exp(-z * z));
}

fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x * (0.5 + x * (0.16666667 + x * 0.041666668)));
  return select(safe_exp(x) - 1.0, series, abs(x) < 0.05);
}

fn log1p(x: f32) -> f32 {
  let series = x * (1.0 - x * (0.5 - x * (0.33333334 - x * 0.25)));
  return select(safe_log(1.0 + x), series, abs(x) < 0.02);
}

fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log1p(safe_exp(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
  let e = safe_exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
