// Names stay: src/build/slot-kernel.ts knows `slot_index`, and its test calls the functions.
//
// One launch for several parameters, each in a slot of its own; a workgroup belongs to one slot.
//
// A file that imports this one is a kernel for one slot, as it stands. `src/build/slot-kernel.ts` makes kernels for more out
// of its text, by one rule: what is named `slot_…` is there once a slot.
//   - A declaration of such a name (binding, function, constant) is repeated for each slot, under the slot's own names; the
//     bindings behind get the next free numbers, so that buffers are bound slot by slot.
//   - A statement that mentions such a name, elsewhere than in such a function, is repeated for each slot, in order.
//   - `slot_index` is the slot's number.
// Everything else is shared by the slots. Whoever imports this declares the uniform `params`, of type `Params`.

struct Params {
  sizes: array<vec4<u32>, 2>, // of each slot's parameter; 0 for an empty slot
  firsts: array<vec4<u32>, 2>, // the slot's first workgroup
  row: u32, // workgroups along x
  groups: u32, // workgroups that have a slot
  before: u32, // such workgroups in the launches before
  earlier: u32, // slots in the launches before
  value: f32, // a number for the kernel
}

const slot_index = 0u;

// The value's place in its parameter; beyond every size when the workgroup belongs to another slot.
fn place(group: vec3<u32>, lane: u32, slot: u32) -> u32 {
  return place_in(group, lane, slot, 64u);
}

// The same for workgroups of `span` values each: the first of those that are the lane's, which has every 64th.
fn place_in(group: vec3<u32>, lane: u32, slot: u32, span: u32) -> u32 {
  let own = group.y * params.row + group.x - params.firsts[slot / 4u][slot % 4u];
  return select(0xffffffffu, own * span + lane, own <= 0xffffffffu / span);
}

// The end of a workgroup's `span` values, which begin at `start`.
fn end_in(start: u32, slot: u32, span: u32) -> u32 {
  return min(size_of(slot), start + span);
}

fn size_of(slot: u32) -> u32 {
  return params.sizes[slot / 4u][slot % 4u];
}
