// Four terms at once for any number of source channels: each with a tap of its own.

const NARROW = true;

@group(0) @binding(0) var<storage, read> source: array<S>;

struct Spots {
  a: Spot,
  b: Spot,
  c: Spot,
  d: Spot,
}

fn spotsAt(term: u32) -> Spots {
  return Spots(spotAt(term), spotAt(term + 1u), spotAt(term + 2u), spotAt(term + 3u));
}

fn firstOf(spots: Spots) -> Spot {
  return spots.a;
}

fn allOnward(spots: Spots, stride: Spot) -> Spots {
  return Spots(onward(spots.a, stride), onward(spots.b, stride), onward(spots.c, stride), onward(spots.d, stride));
}

fn lookOnce(spot: Spot, top: u32, y: i32, x: i32) -> f32 {
  let pixelY = y + i32(spot.tapY);
  let pixelX = x + i32(spot.tapX);
  let value = f32(source[elementAt(top, pixelY, pixelX, spot.channel)]);
  return select(0.0, value, hasPixel(pixelY, pixelX, spot));
}

// What the terms see from source position (y, x), zero outside of the image.
fn look(spots: Spots, top: u32, y: i32, x: i32) -> vec4<f32> {
  return vec4<f32>(
    lookOnce(spots.a, top, y, x),
    lookOnce(spots.b, top, y, x),
    lookOnce(spots.c, top, y, x),
    lookOnce(spots.d, top, y, x),
  );
}
