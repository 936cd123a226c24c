// Means and sums of squares about them, put together without losing digits to a large mean.
//
// Injected: V (f32, or vec4<f32> of as many channels).

struct Moments {
  mean: V,
  squares: V,
}

// Adds a group of n2 values (mean, squares about it) to one of n1: Chan, Golub and LeVeque (1979).
fn merge(a: Moments, n1: f32, b: Moments, n2: f32) -> Moments {
  let delta = b.mean - a.mean;
  let share = n2 / (n1 + n2);
  return Moments(a.mean + delta * share, a.squares + b.squares + delta * delta * (n1 * share));
}

// Of four values: exact as Welford's method, without its chain of divisions.
fn moments_of(a: V, b: V, c: V, d: V) -> Moments {
  let mean = ((a + b) + (c + d)) * 0.25;
  let squares = ((a - mean) * (a - mean) + (b - mean) * (b - mean)) + ((c - mean) * (c - mean) + (d - mean) * (d - mean));
  return Moments(mean, squares);
}
