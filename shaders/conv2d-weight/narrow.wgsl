// import conv2d/narrow-strip.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution between few channels, split by strips. These leave no rest of a row: behind its end, an ∞ of the
// image times a dy of zero would be NaN.

@group(0) @binding(1) var<storage, read> gradient: array<S>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// dy of a row of a strip, at one target channel.
fn dyAt(strip: Strip, y: u32, channel: u32) -> array<f32, SPAN> {
  let first = (strip.image * params.rows + y) * params.columns + strip.column;
  var dy: array<f32, SPAN>;
  for (var i = 0u; i < SPAN; i++) {
    dy[i] = f32(gradient[(first + i) * params.targetChannels + channel]);
  }
  return dy;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetGroups = (params.targetChannels + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let split = at / targetGroups;
  if (split >= params.splits) {
    return;
  }
  let channel = at % targetGroups * LANES + lane;
  let lastChannel = min(channel, params.targetChannels - 1u);

  var sums: array<vec4<f32>, TERM_QUADS>;
  let first = split * params.splitSize;
  let last = min(first + params.splitSize, params.lines / params.rows * stripsOfImage());
  for (var s = first; s < last; s++) {
    let strip = stripAt(s);
    var window = windowAbove(strip, lane);
    for (var y = 0u; y < params.rows; y++) {
      window = windowAt(strip, y, window, lane);
      let dy = dyAt(strip, y, lastChannel);
      for (var tapRow = 0u; tapRow < TAP_ROWS; tapRow++) { // unrolled
        let pixels = pixelsOf(window[tapRow]);
        for (var quad = 0u; quad < SEEN_QUADS; quad++) { // unrolled
          var sum = sums[tapRow * SEEN_QUADS + quad];
          for (var i = 0u; i < SPAN; i++) { // unrolled
            sum += dy[i] * pixels[i * QUADS + quad];
          }
          sums[tapRow * SEEN_QUADS + quad] = sum;
        }
      }
    }
  }

  // A copy, since a loop indexes it.
  var results: array<vec4<f32>, TERM_QUADS>;
  for (var i = 0u; i < TERM_QUADS; i++) { // unrolled
    results[i] = sums[i];
  }
  if (channel < params.targetChannels) {
    for (var i = 0u; i < TERM_QUADS; i++) {
      let first = (split * TERM_QUADS + i) * 4u;
      for (var j = 0u; j < 4u; j++) { // unrolled
        result[(first + j) * params.targetChannels + channel] = results[i][j];
      }
    }
  }
}
