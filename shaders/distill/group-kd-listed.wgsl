// import distill/group-kd.wgsl

// The groups of a chunk, for pools that are lists; provides `chunk_loss`.

fn chunk_loss(sample: u32, chunk: u32, lane: u32) -> f32 {
  let first = chunk * params.chunk;
  return listed_loss(sample, first, min(params.groups, first + params.chunk), lane);
}
