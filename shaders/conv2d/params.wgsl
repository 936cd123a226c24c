// The parameters of every variant of the convolution kernels: targets are sums of taps over a source image. The forward pass reads x
// and writes y; the input gradient reads dy and writes the dx of one phase of the stride, with the taps in reverse. Source and
// target are NHWC; the strides of the weights say which way they are read.
// Aligned as elements of a uniform array must be.

struct Params {
  @align(16) batch: u32,
  // Target positions: rows and columns computed here, and their place in the target image.
  rows: u32,
  columns: u32,
  targetHeight: u32,
  targetWidth: u32,
  targetStepY: u32,
  targetStepX: u32,
  targetY: u32,
  targetX: u32,
  targetChannels: u32,
  groupTargets: u32, // target channels of a group
  // Source image, and the source position of tap (0, 0) at target position (0, 0) with its step.
  height: u32,
  width: u32,
  channels: u32,
  groupChannels: u32, // source channels of a group
  stepY: u32,
  stepX: u32,
  originY: i32,
  originX: i32,
  // Taps, the distance of neighbouring ones in the source, and where their weights lie.
  tapRows: u32,
  tapColumns: u32,
  tapStepY: u32,
  tapStepX: u32,
  weightOrigin: u32,
  weightY: i32, // negative where taps come in reverse
  weightX: i32,
  weightGroup: u32,
  weightSource: u32,
  weightTarget: u32,
  hasBias: u32,
  accumulate: u32, // whether to add to what the result holds
  weighted: u32, // source channels that have weights: behind these the source is zero
}
