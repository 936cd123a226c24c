// Stands in for matrix_units.wgsl where there are none: a subgroup is one thread, and what must be uniform in a subgroup is
// so by itself. Matrices are places in memory, since copies of arrays take CPU rasterizers minutes to compile: factors stay
// in their tiles, and sums get a place of their own when something is first added to them. That does where a factor is not
// used after its tile is filled anew, and a sum only to be added to.

alias Left = u32;
alias Right = u32;
// 0 as long as nothing was added.
alias Sum = u32;

// In workgroup memory, which is set to zero by a loop.
var<workgroup> sumsHeld: array<f32, UNITS * HELD_Y * HELD_X * M * N>;
var<private> held: u32;
var<private> own: u32;

// The place of a sum that is not 0.
fn placeOf(sum: Sum) -> u32 {
  return (own * HELD_Y * HELD_X + sum - 1u) * M * N;
}

struct Place {
  @builtin(local_invocation_id) thread: vec3<u32>,
}

fn subgroupOf(place: Place) -> u32 {
  own = place.thread.x;
  return own;
}

fn loadLeft(at: u32) -> Left {
  return at;
}

fn loadRight(at: u32) -> Right {
  return at;
}

fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum {
  var added = sum;
  if (sum == 0u) {
    held++;
    added = held;
  }
  let place = placeOf(added);
  // One loop, since short ones inside would be unrolled.
  for (var i = 0u; i < M * N * K; i++) {
    let m = i / K / N;
    let n = i / K % N;
    let k = i % K;
    sumsHeld[place + m * N + n] += f32(leftTile[left + m * LEFT_STRIDE + k]) * f32(rightTile[right + k * RIGHT_STRIDE + n]);
  }
  return added;
}

fn storeSum(at: u32, sum: Sum) {
  for (var i = 0u; i < M * N; i++) {
    var value = 0.0;
    if (sum > 0u) {
      value = sumsHeld[placeOf(sum) + i];
    }
    sumTile[at + i] = value;
  }
}
