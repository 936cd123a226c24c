// import lib/philox.wgsl

// Random groups of a task pool: `draw` chooses them by a seeded counter, `pack` gathers their classes' logits.
// Nothing is read back and the counter lives in a buffer, so a captured step draws anew when replayed.
//
// Injected: DRAW (0 uniform over the sets 1 … groups, 1 uniform over the listed masks, 2 weighted over the sets,
//           3 weighted over the listed masks, 4 uniform over all sets of more tasks than can be counted,
//           5 over all sets by their size: the size by weights, then a set of that size),
//           SHARED (one draw for the whole batch).

struct Draw {
  rows: u32, // draws at once: 1, or one a sample
  drawn: u32, // groups a draw, m
  groups: u32, // in the pool, or sizes of groups where these are weighted
  tasks: u32,
  stream: u32, // of the seed's random numbers
}

@group(0) @binding(0) var<storage, read> pool: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> cumulative: array<u32>; // weights added up, the last one 2³² − 1
@group(0) @binding(2) var<storage, read_write> state: array<u32>; // counter low, high, seed low, high
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>; // index in the pool, [rows, drawn]
@group(0) @binding(4) var<storage, read_write> masks: array<vec2<u32>>; // [rows, drawn]
@group(0) @binding(5) var<uniform> params: Draw;

const ATTEMPTS = 16u;
// Tasks whose sets have a place in the pool.
const MOST_COUNTED = 20u;

// Word `i` of this step's numbers.
fn word_of(base: vec2<u32>, i: u32) -> u32 {
  let low = base.x + i / 4u;
  let high = base.y + select(0u, 1u, low < base.x);
  return philox(vec4(low, high, params.stream, 0u), vec2(state[2], state[3]))[i % 4u];
}

// The first group whose cumulative weight lies above the point.
fn search(point: u32) -> u32 {
  var low = 0u;
  var high = params.groups - 1u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (cumulative[middle] > point) {
      high = middle;
    } else {
      low = middle + 1u;
    }
  }
  return low;
}

fn drawn_before(first: u32, count: u32, index: u32) -> bool {
  for (var i = 0u; i < count; i++) {
    if (chosen[first + i] == index) {
      return true;
    }
  }
  return false;
}

// A random set of many tasks. Among 2^21 sets or more, hardly any is drawn twice; one that is, is drawn again.
fn random_set(base: vec2<u32>, first: u32, count: u32) -> vec2<u32> {
  let low_bits = select((1u << (params.tasks % 32u)) - 1u, 0xffffffffu, params.tasks >= 32u);
  let high_bits = select(0u, select((1u << (params.tasks % 32u)) - 1u, 0xffffffffu, params.tasks == 64u), params.tasks > 32u);
  var mask = vec2(0u);
  for (var attempt = 0u; attempt < ATTEMPTS; attempt++) {
    let i = ((first + count) * ATTEMPTS + attempt) * 2u;
    mask = vec2(word_of(base, i) & low_bits, word_of(base, i + 1u) & high_bits);
    var fresh = any(mask != vec2(0u));
    for (var j = 0u; j < count; j++) {
      fresh = fresh && any(masks[first + j] != mask);
    }
    if (fresh) {
      break;
    }
  }
  mask.x |= select(0u, 1u, all(mask == vec2(0u)));
  return mask;
}

// Sets of `size` among `tasks`, as far as they are fewer than can be drawn.
fn sets_of_size(size: u32, tasks: u32) -> u32 {
  var sets = 1u;
  for (var i = 0u; i < min(size, tasks - size) && sets < 65536u; i++) {
    sets = sets * (tasks - i) / (i + 1u);
  }
  return sets;
}

const SIZE_ATTEMPTS = 64u;
// Counted apart: single draws have numbers of their own.
const SIZE_NUMBERS = 1u;
const NUMBERS_A_SET = 16u; // of four words: one a task

// A random set of `size` tasks, one as likely as another: Floyd's sample of the tasks. `before` draws had the same size: their
// sets are not drawn again until all have been, but for bad luck in every attempt, which meets all sets alike.
fn random_set_of(size: u32, base: vec2<u32>, first: u32, count: u32, before: u32) -> vec2<u32> {
  let sets = sets_of_size(size, params.tasks);
  let since = count - before % sets;
  let low = base.x + first + count;
  let high = base.y + select(0u, 1u, low < base.x);
  var mask = vec2(0u);
  for (var attempt = 0u; attempt < SIZE_ATTEMPTS; attempt++) {
    mask = vec2(0u);
    var numbers = vec4(0u);
    for (var i = 0u; i < size; i++) {
      if (i % 4u == 0u) {
        let number = SIZE_NUMBERS + attempt * NUMBERS_A_SET + i / 4u;
        numbers = philox(vec4(low, high, params.stream, number), vec2(state[2], state[3]));
      }
      let last = params.tasks - size + i;
      var task = mul_high(numbers[i % 4u], last + 1u);
      if (((mask[task / 32u] >> (task % 32u)) & 1u) != 0u) {
        task = last;
      }
      mask[task / 32u] |= 1u << (task % 32u);
    }
    var fresh = true;
    for (var j = since; j < count; j++) {
      fresh = fresh && any(masks[first + j] != mask);
    }
    if (fresh) {
      break;
    }
  }
  return mask;
}

// One thread a draw, one workgroup for all, so that the counter moves on when everyone has read it.
@compute @workgroup_size(64)
fn draw(@builtin(local_invocation_index) lane: u32) {
  let base = vec2(state[0], state[1]);
  let m = params.drawn;
  for (var row = lane; row < params.rows; row += 64u) {
    let first = row * m;
    // Weighted draws are systematic (Madow 1949): m points at even distances behind one random start, so that a group of
    // weight w ≤ 1/m is drawn with probability m·w, and never twice.
    let stride = 0xffffffffu / m;
    let start = mul_high(word_of(base, row), stride);
    var latest_size = 0u;
    var before = 0u; // draws of that size
    for (var j = 0u; j < m; j++) {
      if (DRAW == 4u) {
        masks[first + j] = random_set(base, first, j);
        chosen[first + j] = 0xffffffffu;
        continue;
      }
      if (DRAW == 5u) {
        let size = search(start + j * stride) + 1u;
        before = select(0u, before + 1u, size == latest_size);
        latest_size = size;
        let mask = random_set_of(size, base, first, j, before);
        masks[first + j] = mask;
        chosen[first + j] = select(0xffffffffu, mask.x - 1u, params.tasks <= MOST_COUNTED);
        continue;
      }
      var index = 0u;
      if (DRAW >= 2u) {
        index = search(start + j * stride);
      } else {
        // Floyd's sample without repetition: from the first groups − m + j + 1, the last one when the drawn one is taken.
        let last = params.groups - m + j;
        index = mul_high(word_of(base, first + j), last + 1u);
        if (drawn_before(first, j, index)) {
          index = last;
        }
      }
      chosen[first + j] = index;
      var mask = vec2(index + 1u, 0u);
      if (DRAW % 2u == 1u) {
        mask = pool[index];
      }
      masks[first + j] = mask;
    }
  }
  storageBarrier();
  workgroupBarrier();
  if (lane == 0u) {
    let words = params.rows * m * select(1u, ATTEMPTS * 2u, DRAW == 4u);
    let next = base.x + select(words / 4u + 1u, params.rows * m, DRAW == 5u);
    state[1] = base.y + select(0u, 1u, next < base.x);
    state[0] = next;
  }
}

struct Gather {
  drawn: u32, // groups a draw, m
  tasks: u32,
  batch: u32,
  student_row: u32, // logits a sample
  teacher_row: u32,
  width: u32, // of a packed row: all old classes
  row: u32, // threads along x
  starts: array<vec4<u32>, 17>, // first class of each task, and the end of the last
}

@group(0) @binding(6) var<storage, read> drawn_masks: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read> student: array<f32>;
@group(0) @binding(8) var<storage, read> teacher: array<f32>;
@group(0) @binding(9) var<storage, read_write> packed_student: array<f32>; // [batch, drawn, width]
@group(0) @binding(10) var<storage, read_write> packed_teacher: array<f32>;
@group(0) @binding(11) var<storage, read> packed_gradient: array<f32>;
@group(0) @binding(12) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(13) var<uniform> gather: Gather;

// Beyond a group's classes: so low that no softmax sees it, and still finite after a division by any temperature.
const NOTHING = -1e30;

fn start_of(task: u32) -> u32 {
  return gather.starts[task / 4u][task % 4u];
}

fn mask_at(sample: u32, j: u32) -> vec2<u32> {
  return drawn_masks[select(sample, 0u, SHARED) * gather.drawn + j];
}

fn has(mask: vec2<u32>, task: u32) -> bool {
  return ((mask[task / 32u] >> (task % 32u)) & 1u) != 0u;
}

// One thread a packed logit.
@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * gather.row + id.x;
  if (at >= gather.batch * gather.drawn * gather.width) {
    return;
  }
  let sample = at / (gather.drawn * gather.width);
  let mask = mask_at(sample, (at / gather.width) % gather.drawn);
  var rest = at % gather.width;
  var student_logit = NOTHING;
  var teacher_logit = NOTHING;
  for (var task = 0u; task < gather.tasks; task++) {
    if (!has(mask, task)) {
      continue;
    }
    let size = start_of(task + 1u) - start_of(task);
    if (rest < size) {
      let class_index = start_of(task) + rest;
      student_logit = student[sample * gather.student_row + class_index];
      teacher_logit = teacher[sample * gather.teacher_row + class_index];
      break;
    }
    rest -= size;
  }
  packed_student[at] = student_logit;
  packed_teacher[at] = teacher_logit;
}

// One thread a student logit: what all the groups that hold its class send back.
@compute @workgroup_size(64)
fn unpack(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * gather.row + id.x;
  if (at >= gather.batch * gather.student_row) {
    return;
  }
  let sample = at / gather.student_row;
  let class_index = at % gather.student_row;
  var total = 0.0;
  if (class_index < start_of(gather.tasks)) {
    for (var j = 0u; j < gather.drawn; j++) {
      let mask = mask_at(sample, j);
      var position = 0u;
      for (var task = 0u; task < gather.tasks; task++) {
        if (!has(mask, task)) {
          continue;
        }
        if (class_index < start_of(task)) {
          break;
        }
        let end = start_of(task + 1u);
        if (class_index < end) {
          total += packed_gradient[(sample * gather.drawn + j) * gather.width + position + class_index - start_of(task)];
          break;
        }
        position += end - start_of(task);
      }
    }
  }
  gradient[at] = total;
}
