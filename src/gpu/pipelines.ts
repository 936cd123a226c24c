/**
 * Compute pipelines, compiled once per source, entry and set of constants, in the background: recording goes on while
 * they compile, and a software adapter's first step is mostly compilation, so several at once is what makes it short.
 */
import { pollGently } from '#adapter';
import { EngramError, ValidationError } from '../errors.ts';
import type { Constants } from './wgsl/constants.ts';
import { entryPointOf } from './wgsl/entry-point.ts';
import type { Binding } from './wgsl/file.ts';
import { type Kernel, labelOf, moduleText } from './wgsl/kernel.ts';
import { linked } from './wgsl/link.ts';
import type { ParamsLayout } from './wgsl/params.ts';

export interface Pipeline {
  readonly id: number;
  readonly name: string;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
  /** How its uniform is laid out; null where it has none. */
  readonly params: ParamsLayout | null;
  /** Set when compilation has ended well. */
  compiled: GPUComputePipeline | null;
  /** Why compilation failed. */
  error: Error | null;
  /** Resolves when compilation has ended, well or not; never rejects. */
  readonly ready: Promise<void>;
}

const COMPUTE_STAGE = 4; // GPUShaderStage.COMPUTE

export class PipelineCache {
  /** By source, then by entry and constants: whatever else is called by a kernel's name, it gets its own pipeline. */
  private readonly pipelines = new Map<string, Map<string, Pipeline>>();
  private count = 0;
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(
    private readonly device: GPUDevice,
    private readonly onError: (error: Error) => void,
    private readonly onCompile: (kernel: Kernel, constants: Constants) => void = () => {},
  ) {}

  /** Compiled pipelines so far. */
  get size(): number {
    return this.count;
  }

  get(kernel: Kernel, constants: Constants): Pipeline {
    const text = linked(kernel.source);
    let bySource = this.pipelines.get(text);
    if (!bySource) {
      bySource = new Map();
      this.pipelines.set(text, bySource);
    }
    let key = kernel.entry ?? 'main';
    for (const name in constants) {
      const value = constants[name];
      key += `\0${name}=${typeof value === 'object' ? `f${value.f32}` : value}`;
    }
    let pipeline = bySource.get(key);
    if (!pipeline) {
      pipeline = this.compile(kernel, text, constants);
      bySource.set(key, pipeline);
    }
    return pipeline;
  }

  private compile(kernel: Kernel, text: string, constants: Constants): Pipeline {
    const entry = kernel.entry ?? 'main';
    const label = labelOf(kernel);
    const { bindings, params } = entryPointOf(kernel.source, entry, constants, label);
    const layout = this.layout(bindings);
    this.onCompile(kernel, constants);
    // The error is reported below, with its line; the scope keeps it from being reported twice.
    this.device.pushErrorScope('validation');
    const module = this.device.createShaderModule({ label, code: moduleText(text, constants) });
    pollGently(() => this.device.popErrorScope()).catch(() => {});
    const pipeline: Pipeline = {
      id: this.count++,
      name: label,
      layout: layout.group,
      bindings,
      params,
      compiled: null,
      error: null,
      ready: pollGently(() =>
        this.device.createComputePipelineAsync({
          label,
          layout: layout.pipeline,
          compute: { module, entryPoint: entry },
        }),
      ).then(
        (compiled) => {
          pipeline.compiled = compiled;
        },
        async (cause: Error) => {
          const info = await module.getCompilationInfo().catch(() => null);
          const first = info?.messages.find((m) => m.type === 'error');
          const message = first ? `line ${first.lineNum}: ${first.message}` : cause.message;
          pipeline.error =
            cause instanceof EngramError
              ? cause
              : new ValidationError({ where: label, message: `the kernel did not compile: ${message}`, cause });
          this.onError(pipeline.error);
        },
      ),
    };
    return pipeline;
  }

  private layout(bindings: readonly Binding[]) {
    const key = bindings.map((b) => `${b.binding}${b.type}`).join();
    let layout = this.layouts.get(key);
    if (!layout) {
      const group = this.device.createBindGroupLayout({
        entries: bindings.map(({ binding, type }) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
      });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(key, layout);
    }
    return layout;
  }
}
