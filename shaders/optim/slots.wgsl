// What optimizers share: a launch updates several parameters, each in a slot of its own, and a workgroup belongs to one slot.
// Who imports it binds `params`.

struct Params {
  sizes: array<vec4<u32>, 2>, // of each slot's parameter; 0 for an empty slot
  firsts: array<vec4<u32>, 2>, // the slot's first workgroup
  row: u32, // workgroups along x
  groups: u32, // workgroups that have a slot
  before: u32, // such workgroups in the launches before
  value: f32, // a number for the kernel
}

// The value's place in its parameter; beyond every size when the workgroup is not the slot's.
fn place(group: vec3<u32>, lane: u32, slot: u32) -> u32 {
  return place_in(group, lane, slot, 64u);
}

// The same for workgroups of `span` values each, of the first of those that are the lane's: it has every 64th.
fn place_in(group: vec3<u32>, lane: u32, slot: u32, span: u32) -> u32 {
  let own = group.y * params.row + group.x - params.firsts[slot / 4u][slot % 4u];
  return select(0xffffffffu, own * span + lane, own <= 0xffffffffu / span);
}

// Where the values of a workgroup of `span` end that begin at `start`.
fn end_in(start: u32, slot: u32, span: u32) -> u32 {
  return min(size_of(slot), start + span);
}

fn size_of(slot: u32) -> u32 {
  return params.sizes[slot / 4u][slot % 4u];
}
