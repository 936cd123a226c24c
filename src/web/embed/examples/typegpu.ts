// A network keeps learning a picture that a TypeGPU function paints and changes: the root's device is the engine's, too.
import * as engram from 'engram';
import tgpu, { common, d } from 'typegpu';
import type { Stage } from '../stage.ts';

const [SAMPLES, SIDE] = [1024, 64];
const layout = tgpu.bindGroupLayout({
  seconds: { uniform: d.f32 },
  places: { storage: d.arrayOf(d.vec2f), access: 'mutable' },
  colours: { storage: d.arrayOf(d.vec4f), access: 'mutable' },
});
const shown = tgpu.bindGroupLayout({
  seconds: { uniform: d.f32 },
  picture: { storage: d.arrayOf(d.vec4f) },
});

/** The colour at a place in −1 … 1. */
const paint = tgpu.fn([d.vec2f, d.f32], d.vec4f) /* wgsl */`(at, seconds) {
  let bent = at + 0.35 * sin(2.0 * at.yx + vec2f(0.5, 0.3) * seconds);
  let wave = 0.5 + 0.5 * sin(6.0 * length(bent) - seconds + 2.0 * atan2(bent.y, bent.x));
  return mix(vec4f(0.04, 0.07, 0.25, 1.0), mix(vec4f(0.9, 0.3, 0.45, 1.0), vec4f(1.0, 0.85, 0.45, 1.0), wave), smoothstep(0.1, 0.9, wave));
}`;
/** Places at random, and their colours. */
const sample = tgpu.computeFn({ in: { id: d.builtin.globalInvocationId }, workgroupSize: [64] }) /* wgsl */`{
  let salt = bitcast<u32>(layout.$.seconds) * 40503u + in.id.x;
  let word = (salt ^ (salt >> 15u)) * 747796405u;
  let mixed = (word ^ (word >> 13u)) * 277803737u;
  let at = vec2f(vec2u(mixed >> 16u, (mixed * 2891336453u) >> 16u)) / 32768.0 - 1.0;
  layout.$.places[in.id.x] = at;
  layout.$.colours[in.id.x] = paint(at, layout.$.seconds);
}`.$uses({ layout, paint });
/** What the network knows of it; in the corner, the picture itself. */
const show = tgpu.fragmentFn({ in: { uv: d.vec2f }, out: d.vec4f }) /* wgsl */`{
  if (all(in.uv > vec2f(0.74))) { return paint((in.uv - 0.74) / 0.13 - 1.0, shown.$.seconds); }
  let at = clamp(in.uv * f32(SIDE) - 0.5, vec2f(0.0), vec2f(f32(SIDE) - 1.001));
  let i = u32(at.y) * SIDE + u32(at.x);
  let above = mix(shown.$.picture[i], shown.$.picture[i + 1u], fract(at.x));
  let below = mix(shown.$.picture[i + SIDE], shown.$.picture[i + SIDE + 1u], fract(at.x));
  return mix(above, below, fract(at.y));
}`.$uses({ shown, paint, SIDE });

export async function run(canvas: HTMLCanvasElement, { adapter, frames, told, atEnd }: Stage): Promise<void> {
  const device = await adapter.requestDevice(engram.deviceRequirements(adapter));
  const root = tgpu.initFromDevice({ device });
  const engine = engram.Engine.from(root.device);
  atEnd(() => engine.destroy().then(() => device.destroy()));

  const seconds = root.createBuffer(d.f32).$usage('uniform');
  const places = root.createBuffer(d.arrayOf(d.vec2f, SAMPLES)).$usage('storage');
  const colours = root.createBuffer(d.arrayOf(d.vec4f, SAMPLES)).$usage('storage');
  const picture = root.createBuffer(d.arrayOf(d.vec4f, SIDE * SIDE)).$usage('storage');
  const toSample = root.createBindGroup(layout, { seconds, places, colours });
  const toShow = root.createBindGroup(shown, { seconds, picture });
  const sampling = root.createComputePipeline({ compute: sample });
  const showing = root.createRenderPipeline({ vertex: common.fullScreenTriangle, fragment: show });
  const context = root.configureContext({ canvas });

  // TypeGPU's buffers as tensors, and a grid of places to paint.
  const x = engram.wrap(engine, root.unwrap(places), { shape: [SAMPLES, 2] });
  const y = engram.wrap(engine, root.unwrap(colours), { shape: [SAMPLES, 4] });
  const grid = Array.from({ length: SIDE * SIDE }, (_, i) =>
    [i % SIDE, Math.floor(i / SIDE)].map((k) => (2 * k + 1) / SIDE - 1),
  );
  const everywhere = engine.tensor(grid);
  const waves = engine.normal([2, 48], { std: 4 });
  const layer = (from: number, to: number) => new engram.Linear(engine, from, to);
  const [first, second] = [layer(48, 48), layer(48, 4)];
  const paintedAt = (at: engram.Tensor) => second.forward(first.forward(at.matmul(waves).add(0.5).sin()).silu());
  const optimizer = new engram.Adam(new engram.Sequential(engine, first, second), { lr: 1e-2 });
  const step = engram.capture(engine, (at: engram.Tensor, colour: engram.Tensor, asked: engram.Tensor) => {
    const loss = paintedAt(at).sub(colour).square().mean();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return { loss, painted: engram.noGrad(engine, () => paintedAt(asked)) };
  });
  for (let i = 0; i < 2; i++) step(x, y, everywhere); // runs it, then records it
  await engine.flush(); // until its kernels are compiled

  for await (const time of frames) {
    seconds.write(time);
    const encoder = device.createCommandEncoder();
    sampling
      .with(encoder)
      .with(toSample)
      .dispatchWorkgroups(SAMPLES / 64);
    const { loss, painted } = engram.encode(step, encoder, x, y, everywhere);
    engram.copyTo(painted, encoder, root.unwrap(picture));
    showing.with(encoder).with(toShow).withColorAttachment({ view: context }).draw(3);
    device.queue.submit([encoder.finish()]);
    engram.submitted(engine);
    told(await loss.item());
  }
}
