// Where four neighbouring terms of a convolution's sum look: one tap and a quad of source channels. For kernels
// in quads whose Params tell of the source image and the taps.

@group(0) @binding(0) var<storage, read> source: array<vec4<S>>;

struct Term {
  tapY: u32,
  tapX: u32,
  channel: u32,
}

// What the terms see from pixel (y, x) of the image whose first row is row `top` of all images; zero outside of it.
fn loadQuad(params: Params, term: Term, top: u32, y: i32, x: i32) -> vec4<f32> {
  let pixelY = y + i32(term.tapY * params.tapStepY);
  let pixelX = x + i32(term.tapX * params.tapStepX);
  let at = (u32((i32(top) + pixelY) * i32(params.width) + pixelX) * params.channels + term.channel) / 4u;
  let inside = u32(pixelY) < params.height && u32(pixelX) < params.width && term.tapY < params.tapRows;
  return select(vec4<f32>(), vec4<f32>(source[at]), inside);
}
