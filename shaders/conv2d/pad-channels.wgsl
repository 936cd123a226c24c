// Images whose channels do not come in fours, with zeros behind them: what is loaded by quads of channels needs that.
//
// Injected: S (how images are stored: f32 or f16), CHANNELS (of the images; divisions by a constant are cheap).

struct Params {
  size: u32, // quads of channels in the result
  row: u32, // threads along x
}

@group(0) @binding(0) var<storage, read> images: array<S>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4<S>>;
@group(0) @binding(2) var<uniform> params: Params;

const QUADS: u32 = (CHANNELS + 3u) / 4u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * params.row + id.x;
  if (at >= params.size) {
    return;
  }
  let pixel = at / QUADS;
  let channel = at % QUADS * 4u;
  let last = CHANNELS - 1u - channel;
  let first = pixel * CHANNELS + channel;
  let values = vec4<S>(
    images[first],
    images[first + min(1u, last)],
    images[first + min(2u, last)],
    images[first + min(3u, last)],
  );
  result[at] = select(vec4<S>(), values, vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(last));
}
