// Rows shared out among threads. A workgroup takes SIZE / WIDTH rows, each with a team of WIDTH threads; a thread goes through
// every WIDTH-th element. A team of one needs no barrier, which a CPU likes, and short rows do not pay for more.
//
// A row is a line along the middle axis of [outer, n, inner].
//
// Injected: SIZE, WIDTH (powers of two), JOINED (inner is 1: no division, which would cost a short row more than its elements).

// Additions one after the other before the sum goes to the next level: a longer chain would lose digits.
const CHAIN = 128u;

struct Row {
  number: u32,
  lane: u32,  // of the team
  count: u32, // of elements; 0 beyond the last row
  first: u32, // element
  step: u32,  // between elements
}

fn row_of(group: u32, index: u32, rows: u32, n: u32, inner: u32) -> Row {
  let number = group * (SIZE / WIDTH) + index / WIDTH;
  let lane = index % WIDTH;
  let count = select(0u, n, number < rows);
  if (JOINED) {
    return Row(number, lane, count, number * n, 1u);
  }
  let first = (number / inner) * n * inner + number % inner;
  return Row(number, lane, count, first, inner);
}

var<workgroup> partial: array<f32, SIZE>;

// The sum over a team, in all of it.
fn team_sum(index: u32, value: f32) -> f32 {
  if (WIDTH == 1u) {
    return value;
  }
  let lane = index % WIDTH;
  partial[index] = value;
  workgroupBarrier();
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[index] += partial[index + half];
    }
    workgroupBarrier();
  }
  let result = partial[index - lane];
  workgroupBarrier();
  return result;
}

// The largest value over a team, in all of it; NaN may be left out.
fn team_max(index: u32, value: f32) -> f32 {
  if (WIDTH == 1u) {
    return value;
  }
  let lane = index % WIDTH;
  partial[index] = value;
  workgroupBarrier();
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[index] = max(partial[index], partial[index + half]);
    }
    workgroupBarrier();
  }
  let result = partial[index - lane];
  workgroupBarrier();
  return result;
}
