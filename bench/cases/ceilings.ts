/**
 * What the adapter can do at most, measured: bytes a second through its memory, and multiplications with their additions a
 * second in its registers. The rates of kernels are told as shares of these.
 */
import { type Engine, plane, Tensor, wgsl } from '../../src/index.ts';
import { noise, type Work, type WorkCase } from '../bench-case.ts';

const THREADS = 64;

/**
 * Neighbours copy neighbours, a quad each. Nothing of it can be left out: the target is a storage buffer that outlives the
 * launch, and what the source holds is not known to a compiler. (Numbers are random: some GPUs compress what is alike in memory.)
 */
const copySource = wgsl`
  struct Params { quads: u32 }
  @group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
  @group(0) @binding(1) var<storage, read_write> result: array<vec4<f32>>;
  @group(0) @binding(2) var<uniform> params: Params;

  @compute @workgroup_size(64) fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let i = (group.y * groups.x + group.x) * 64u + thread;
    if (i < params.quads) { result[i] = source[i]; }
  }`;

/**
 * Chains of x ← x·factor + addend, eight a thread side by side, so that no unit waits for the result before, in registers that every
 * adapter has. Nothing of it
 * can be left out or worked out ahead: factor, addend and the number of rounds come with the launch; float arithmetic may not be put in
 * another order; each thread begins with numbers of its own, lest one do for all; and all that it has goes into a sum that is stored.
 * The factor is below one: the numbers stay near 1 however long the chain, far from what is slow on some adapters.
 */
const fmaSource = wgsl`
  struct Params { rounds: u32, factor: f32, addend: f32 }
  @group(0) @binding(0) var<storage, read_write> sums: array<f32>;
  @group(0) @binding(1) var<uniform> params: Params;

  @compute @workgroup_size(64) fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let i = (group.y * groups.x + group.x) * 64u + thread;
    let factor = vec4<T>(T(params.factor));
    let addend = vec4<T>(T(params.addend));
    var a = vec4<T>(T(i % 61u) / 61.0, 0.1, 0.2, 0.3);
    var b = a + T(0.1);
    for (var round = 0u; round < params.rounds; round++) {
      for (var turn = 0u; turn < TURNS; turn++) { // unrolled
        a = fma(a, factor, addend);
        b = fma(b, factor, addend);
      }
    }
    sums[i] = f32(dot(a + b, vec4<T>(1.0)));
  }`;

/** Much more than caches hold, on GPUs at least; never more than a buffer may have. */
const bytesCopied = ({ adapterKind, device }: Engine): number =>
  Math.min(adapterKind === 'hardware' ? 2 ** 27 : 2 ** 24, device.limits.maxStorageBufferBindingSize);

function copy(engine: Engine): Work {
  const quads = Math.floor(bytesCopied(engine) / 16);
  const source = noise(engine, [4 * quads]);
  const result = Tensor.empty(engine, [4 * quads], 'f32', 'ceiling');
  const kernel = { name: 'ceiling_copy', source: copySource };
  return {
    bytes: 2 * 16 * quads,
    run: () =>
      engine.dispatch({
        kernel,
        params: { quads },
        buffers: [source.storage, result.storage],
        workgroups: plane(engine, Math.ceil(quads / THREADS)),
      }),
  };
}

/** Fused multiplications that a round unrolls, in each of the two quads. */
const TURNS = 8;

/** So many threads that every unit of a large GPU has several to choose from, and chains long enough that a launch costs nothing beside. */
const SIZES = { hardware: { groups: 2 ** 13, rounds: 128 }, software: { groups: 2 ** 8, rounds: 64 } };

function fma(engine: Engine, T: 'f32' | 'f16'): Work {
  const { groups, rounds } = SIZES[engine.adapterKind];
  const sums = Tensor.empty(engine, [groups * THREADS], 'f32', 'ceiling');
  const kernel = { name: 'ceiling_fma', source: fmaSource };
  return {
    flops: groups * THREADS * rounds * TURNS * 2 * 4 * 2,
    run: () =>
      engine.dispatch({
        kernel,
        constants: { T, TURNS },
        params: { rounds, factor: 0.75, addend: 0.25 },
        buffers: [sums.storage],
        workgroups: plane(engine, groups),
      }),
  };
}

export const ceilingCases: readonly WorkCase[] = [
  { name: 'ceiling/copy', prepare: copy },
  { name: 'ceiling/fma', prepare: (engine) => fma(engine, 'f32') },
  { name: 'ceiling/fma-f16', needs: 'shader-f16', prepare: (engine) => fma(engine, 'f16') },
];
