// What optimizers share: a launch updates several parameters, each in a slot of its own, and a workgroup belongs to one slot.
// Ahead of sgd.wgsl or adam.wgsl, which bind `params`.

struct Params {
  sizes: array<vec4<u32>, 2>, // of each slot's parameter; 0 for an empty slot
  firsts: array<vec4<u32>, 2>, // the slot's first workgroup
  row: u32, // workgroups along x
}

// The value's place in its parameter; beyond every size when the workgroup is not the slot's.
fn place(group: vec3<u32>, lane: u32, slot: u32) -> u32 {
  let own = group.y * params.row + group.x - params.firsts[slot / 4u][slot % 4u];
  return select(0xffffffffu, own * 64u + lane, own < 0x4000000u);
}

fn size_of(slot: u32) -> u32 {
  return params.sizes[slot / 4u][slot % 4u];
}
