// Four terms at once where source channels come in fours: neighbouring channels of one tap.

const NARROW = false;

@group(0) @binding(0) var<storage, read> source: array<vec4<S>>;

alias Spots = Spot;

fn spotsAt(term: u32) -> Spots {
  return spotAt(term);
}

fn firstOf(spots: Spots) -> Spot {
  return spots;
}

fn allOnward(spots: Spots, stride: Spot) -> Spots {
  return onward(spots, stride);
}

// What the terms see from source position (y, x), zero outside of the image.
fn look(spots: Spots, top: u32, y: i32, x: i32) -> vec4<f32> {
  let pixelY = y + i32(spots.tapY);
  let pixelX = x + i32(spots.tapX);
  let value = vec4<f32>(source[elementAt(top, pixelY, pixelX, spots.channel) / 4u]);
  return select(vec4<f32>(), value, hasPixel(pixelY, pixelX, spots));
}
