// What every form of a convolution's weight gradient is told: for every weight a sum over all target positions, split by
// rows of dy.

struct Params {
  // Rows of dy in the whole batch, and how many of them a split takes.
  lines: u32,
  linesPerSplit: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  targetChannels: u32,
  height: u32,
  width: u32,
  channels: u32,
  stepY: u32,
  stepX: u32,
  originY: i32,
  originX: i32,
  tapRows: u32,
  tapColumns: u32,
  weighted: u32, // source channels that have weights: behind these the source is zero
}
