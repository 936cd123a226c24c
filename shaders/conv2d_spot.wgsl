// Where a term of a convolution's sum looks: one tap and one source channel. Ahead of conv2d_wide.wgsl or
// conv2d_narrow.wgsl, and behind them a kernel in quads whose Params tell of the source image and the taps.

struct Spot {
  tapY: u32,
  tapX: u32,
  channel: u32,
}

// Terms are ordered by tap row, tap column and channel.
fn spotAt(term: u32) -> Spot {
  let tap = term / params.channels;
  return Spot(tap / params.tapColumns, tap % params.tapColumns, term % params.channels);
}

// Four terms as the digits of a spot.
fn strideOf4() -> Spot {
  let taps = 4u / params.channels;
  let columns = max(params.tapColumns, 1u);
  return Spot(taps / columns, taps % columns, 4u % params.channels);
}

// The spot `stride` terms on.
fn onward(spot: Spot, stride: Spot) -> Spot {
  var next = Spot(spot.tapY + stride.tapY, spot.tapX + stride.tapX, spot.channel + stride.channel);
  let carryX = select(0u, 1u, next.channel >= params.channels);
  next.channel -= carryX * params.channels;
  next.tapX += carryX;
  let carryY = select(0u, 1u, next.tapX >= params.tapColumns);
  next.tapX -= carryY * params.tapColumns;
  next.tapY += carryY;
  return next;
}

// Whether there is a source pixel (y, x) for a term.
fn hasPixel(y: i32, x: i32, spot: Spot) -> bool {
  return u32(y) < params.height && u32(x) < params.width && spot.tapY < params.tapRows;
}

// Element of the source at pixel (y, x) of the image whose first row is row `top` of all images.
fn elementAt(top: u32, y: i32, x: i32, channel: u32) -> u32 {
  return u32((i32(top) + y) * i32(params.width) + x) * params.channels + channel;
}
