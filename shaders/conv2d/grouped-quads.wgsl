// import conv2d/groups.wgsl

// Convolution in groups of channels that come in fours.
//
// Injected: TURNED (neighbouring weights belong to neighbouring source channels, not to target channels).

// Weights of four source channels, the columns, for four target channels.
fn weightsAt(first: u32) -> mat4x4<f32> {
  let step = select(params.weightSource, params.weightTarget, TURNED);
  let weights = mat4x4<f32>(
    V(weight[first / 4u]),
    V(weight[(first + step) / 4u]),
    V(weight[(first + 2u * step) / 4u]),
    V(weight[(first + 3u * step) / 4u]),
  );
  if (TURNED) {
    return transpose(weights);
  }
  return weights;
}
