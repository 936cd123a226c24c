/**
 * lavapipe compiles a kernel when it is first launched, one after the other, and a first step is mostly that. What one of
 * its devices has compiled, another finds in Mesa's shader cache. So while the first launches take long, a second device
 * compiles, on another core, the kernels that they come to last.
 */
import { pollGently } from './adapter/polling-node.ts';
import type { Pipeline, PipelineCache } from './pipelines.ts';
import type { Constants } from './wgsl/constants.ts';
import type { Kernel } from './wgsl/kernel.ts';

/** Launches whose kernels are in the cache have ended by then. */
const PATIENCE_MS = 300;

/** What is bound is never used, but must be as large as the kernel declares: uniforms take at most so much. */
const BYTES = 2 ** 16;

export class CompileAhead {
  /** Kernels of this device that nothing has been waited for yet. */
  private fresh: { readonly kernel: Kernel; readonly constants: Constants }[] = [];
  private watching: Promise<void> | null = null;
  private isOver = false;

  /**
   * @param open gives the second device.
   * @param pipelinesOn gives the pipelines of a device; their errors are reported by the first one.
   */
  constructor(
    private readonly open: () => Promise<GPUDevice>,
    private readonly pipelinesOn: (device: GPUDevice) => PipelineCache,
    private readonly patience = PATIENCE_MS,
  ) {}

  add(kernel: Kernel, constants: Constants): void {
    this.fresh.push({ kernel, constants });
  }

  /** Kernels have been launched. @param done gives a promise of the end of these launches. */
  launched(done: () => Promise<unknown>): void {
    if (this.fresh.length === 0 || this.watching || this.isOver) return;
    this.watching = this.watch(done()).finally(() => {
      this.watching = null;
    });
  }

  /** Resolves when the second device is gone; there is no other one after it. */
  async stop(): Promise<void> {
    this.isOver = true;
    this.fresh = [];
    await this.watching;
  }

  private async watch(done: Promise<unknown>): Promise<void> {
    let isDone = false;
    const ended = done.then(
      () => {},
      () => {}, // the device was lost: reported by its own error
    );
    void ended.then(() => {
      isDone = true;
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.patience);
    });
    await Promise.race([ended, late]);
    clearTimeout(timer);
    // Whatever fails here is compiled as without it.
    if (!isDone) await this.compile(() => isDone).catch(() => {});
    this.fresh = [];
  }

  /** Last ones first, to meet the launches that come from the other end. */
  private async compile(isDone: () => boolean): Promise<void> {
    const device = await this.open();
    const pipelines = this.pipelinesOn(device);
    try {
      for (let next = this.fresh.pop(); next && !isDone(); next = this.fresh.pop()) {
        device.pushErrorScope('validation');
        const pipeline = pipelines.get(next.kernel, next.constants);
        await pipeline.ready;
        await launchNothing(device, pipeline);
        await pollGently(() => device.popErrorScope());
      }
    } finally {
      device.destroy();
    }
  }
}

/** A launch of no workgroups is enough for the driver to compile the kernel, if it learns of their number from a buffer. */
async function launchNothing(device: GPUDevice, { compiled, layout, bindings }: Pipeline): Promise<void> {
  if (!compiled) return;
  const buffers: GPUBuffer[] = [];
  const bufferOf = (usage: GPUBufferUsageFlags): GPUBuffer => {
    const buffer = device.createBuffer({ size: BYTES, usage });
    buffers.push(buffer);
    return buffer;
  };
  const group = device.createBindGroup({
    layout,
    entries: bindings.map(({ binding, type }) => ({
      binding,
      resource: { buffer: bufferOf(type === 'uniform' ? GPUBufferUsage.UNIFORM : GPUBufferUsage.STORAGE) },
    })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(compiled);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroupsIndirect(bufferOf(GPUBufferUsage.INDIRECT), 0);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await pollGently(() => device.queue.onSubmittedWorkDone());
  for (const buffer of buffers) buffer.destroy();
}
