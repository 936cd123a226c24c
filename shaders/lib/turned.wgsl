// The sine of quarter turns and an angle r within [−π/4, π/4], by Cephes' polynomials: WGSL allows its own errors of 2⁻¹¹, and
// SwiftShader makes use of it.

fn turned(r: f32, quarters: u32) -> f32 {
  let z = r * r;
  let sine = r + r * z * (-0.16666654611 + z * (0.0083321608736 + z * -0.00019515295891));
  let cosine = 1.0 - 0.5 * z + z * z * (0.041666645683 + z * (-0.0013887316255 + z * 0.000024433157118));
  let value = select(sine, cosine, (quarters & 1u) == 1u);
  return select(value, -value, (quarters & 2u) == 2u);
}
