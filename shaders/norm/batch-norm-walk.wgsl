// How batch norm shares out x, seen as [rows, columns] of V. A workgroup takes `width` neighbouring columns, each with
// SIZE / width threads, its lanes. The rows are cut into parts, and what a part adds up to goes into a buffer; the next launch's
// threads add up all parts of their columns, in the same order everywhere: that repeats a little work instead of
// launching a kernel for it.
//
// Who imports it binds `params`, with
//   rows: u32,
//   columns: u32,
//   width: u32, a power of two,
//   span: u32, rows of a part; the last one may have fewer,
// and with flags, 0 or 1, which are not constants, since each combination would have to be compiled.
//
// Injected: V (f32, or vec4<f32> for channels in fours), I and B (u32 and bool likewise), S (how one is stored in images: V
// or its f16 equivalent), SIZE (threads of a workgroup, a power of two), TEAMS (the lanes of a column work on one part
// together, for a GPU; else each has a part of its own, and there is no barrier).

// By the bits, which no compiler assumes away.
fn not_a_number(x: V) -> B {
  return (bitcast<I>(x) & I(0x7fffffffu)) > I(0x7f800000u);
}

// What a thread has to do: `count` elements from `first` on, `jump` apart.
struct Place {
  column: u32,
  part: u32,
  member: u32, // its number in the team
  first: u32,
  jump: u32,
  count: u32,
  leads: bool, // the one thread of its part and column that writes
}

fn team() -> u32 {
  return select(1u, SIZE / params.width, TEAMS);
}

fn parts() -> u32 {
  return (params.rows + params.span - 1u) / params.span;
}

fn rows_of(part: u32) -> u32 {
  return min(params.rows, (part + 1u) * params.span) - min(params.rows, part * params.span);
}

// Threads beyond the last column look at the last one, and have no elements.
fn place_of(group: vec3<u32>, index: u32) -> Place {
  let wanted = group.x * params.width + index % params.width;
  let column = min(wanted, params.columns - 1u);
  let lane = index / params.width;
  let part = select(group.y * (SIZE / params.width) + lane, group.y, TEAMS);
  let member = select(0u, lane, TEAMS);
  let held = rows_of(part);
  let start = min(held, member);
  let count = select(0u, (held - start + team() - 1u) / team(), wanted == column);
  let first = (part * params.span + start) * params.columns + column;
  return Place(column, part, member, first, team() * params.columns, count, member == 0u && count > 0u);
}

var<workgroup> sums: array<V, SIZE>;

// The sum over the team, in all of it.
fn total(index: u32, value: V) -> V {
  if (!TEAMS) {
    return value;
  }
  let member = index / params.width;
  sums[index] = value;
  workgroupBarrier();
  for (var half = team() / 2u; half > 0u; half /= 2u) {
    if (member < half) {
      sums[index] += sums[index + half * params.width];
    }
    workgroupBarrier();
  }
  let result = sums[index % params.width];
  workgroupBarrier();
  return result;
}
