/** Draws a landscape on the engine's own device, from the engine's own buffer: nothing passes through the CPU. */
import { borrow, type Tensor } from 'engram';
import { type Camera, clipOf } from './camera.ts';

/** Losses from the bottom to the top of the drawing, as powers of ten; a contour for each quarter of one. */
const SCALE = { lowest: -1.5, highest: 1.5, contours: 12 } as const;

const SAMPLES = 4;
const DEPTH: GPUTextureFormat = 'depth24plus';
/** Of `View` in the shader. */
const VIEW_BYTES = 96;
/** UNIFORM | COPY_DST; RENDER_ATTACHMENT. */
const [UNIFORM, ATTACHMENT] = [0x40 | 0x08, 0x10];

/** The pipeline of all surfaces of a device. */
export function surfacePipeline(device: GPUDevice, format: GPUTextureFormat, source: string): GPURenderPipeline {
  const module = device.createShaderModule({ label: 'surface', code: source });
  return device.createRenderPipeline({
    label: 'surface',
    layout: 'auto',
    vertex: { module, entryPoint: 'surface' },
    fragment: { module, entryPoint: 'shade', targets: [{ format }] },
    primitive: { topology: 'triangle-list', cullMode: 'none' },
    depthStencil: { format: DEPTH, depthWriteEnabled: true, depthCompare: 'less' },
    multisample: { count: SAMPLES },
  });
}

export class Surface {
  private readonly device: GPUDevice;
  private readonly view: GPUBuffer;
  private readonly group: GPUBindGroup;
  private readonly lease: ReturnType<typeof borrow>;
  private targets: { readonly colour: GPUTexture; readonly depth: GPUTexture } | null = null;

  /** @param losses f32 [points, points]; it is drawn as it is whenever it is drawn. */
  constructor(
    private readonly losses: Tensor,
    private readonly pipeline: GPURenderPipeline,
    private readonly format: GPUTextureFormat,
  ) {
    this.device = losses.engine.device;
    this.view = this.device.createBuffer({ label: 'view', size: VIEW_BYTES, usage: UNIFORM });
    this.lease = borrow(losses);
    const { buffer, offset, size } = this.lease;
    this.group = this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer, offset, size } },
        { binding: 1, resource: { buffer: this.view } },
      ],
    });
  }

  /**
   * Puts the drawing into a queue. What the engine recorded must be there before: `await engine.flush()`.
   * @param stride every so many points are there.
   */
  draw(into: GPUTexture, camera: Camera, stride: number): void {
    const { width, height } = into;
    const [points = 2] = this.losses.shape;
    const bytes = new ArrayBuffer(VIEW_BYTES);
    new Float32Array(bytes).set(clipOf(camera, width / height));
    new Uint32Array(bytes, 64).set([points, stride]);
    new Float32Array(bytes, 72).set([SCALE.lowest, SCALE.highest, SCALE.contours]);
    this.device.queue.writeBuffer(this.view, 0, bytes);
    const { colour, depth } = this.targetsOf(width, height);
    const encoder = this.device.createCommandEncoder({ label: 'landscape' });
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        {
          view: colour.createView(),
          resolveTarget: into.createView(),
          clearValue: [0, 0, 0, 0],
          loadOp: 'clear',
          storeOp: 'discard',
        },
      ],
      depthStencilAttachment: {
        view: depth.createView(),
        depthClearValue: 1,
        depthLoadOp: 'clear',
        depthStoreOp: 'discard',
      },
    });
    pass.setPipeline(this.pipeline);
    pass.setBindGroup(0, this.group);
    pass.draw(6 * ((points - 1) / stride) ** 2);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.lease.dispose();
    this.view.destroy();
    this.targets?.colour.destroy();
    this.targets?.depth.destroy();
  }

  /** Textures of the size that is drawn. */
  private targetsOf(width: number, height: number): { readonly colour: GPUTexture; readonly depth: GPUTexture } {
    const { targets, device, format } = this;
    if (targets?.colour.width === width && targets.colour.height === height) return targets;
    targets?.colour.destroy();
    targets?.depth.destroy();
    const texture = (of: GPUTextureFormat) =>
      device.createTexture({ size: [width, height], format: of, sampleCount: SAMPLES, usage: ATTACHMENT });
    this.targets = { colour: texture(format), depth: texture(DEPTH) };
    return this.targets;
  }
}
