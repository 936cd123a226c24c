// import conv2d/groups.wgsl

// Convolution in groups of any number of channels, one by one.

fn weightsAt(first: u32) -> f32 {
  return f32(weight[first]);
}
