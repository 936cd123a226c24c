// What every form of a convolution's weight gradient is told: for every weight a sum over all target positions, split by
// rows of dy.

struct Params {
  // Rows of dy in the whole batch, and how many of them, or of their strips, a split takes.
  lines: u32,
  splitSize: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  targetChannels: u32,
  groupTargets: u32, // target channels of a group
  height: u32,
  width: u32,
  channels: u32,
  groupChannels: u32, // source channels of a group
  stepY: u32,
  stepX: u32,
  originY: i32,
  originX: i32,
  tapRows: u32,
  tapColumns: u32,
  // Distance of neighbouring taps in the source.
  tapStepY: u32,
  tapStepX: u32,
  weighted: u32, // source channels that have weights: behind these the source is zero
}
