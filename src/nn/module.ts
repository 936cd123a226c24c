/**
 * Modules: a forward function with named parameters and buffers. Names follow PyTorch's state dicts, so that weights
 * pass between the two; a tensor field `runningMean` is called `running_mean` there.
 */
import type { Engine } from '../gpu/engine.ts';
import { Tensor } from '../tensor/tensor.ts';

/** How a tensor's axes are ordered in PyTorch: convolution weights, linear weights, or as here. */
export type TorchLayout = 'OIHW' | 'OI' | 'same';

export interface NamedTensor {
  /** PyTorch's key, for example `layer1.0.conv1.weight`. */
  readonly name: string;
  readonly tensor: Tensor;
  readonly layout: TorchLayout;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export abstract class Module {
  /** Batch norm and dropout behave differently in training; set with {@link train} and {@link eval}. */
  training = true;

  constructor(readonly engine: Engine) {}

  abstract forward(x: Tensor): Tensor;

  /** The modules directly inside, by field name. */
  *children(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
  }

  /** PyTorch's axis order of a field's tensor. */
  protected layoutOf(_field: string): TorchLayout {
    return 'same';
  }

  /** Every parameter and buffer, in order of definition. */
  *namedTensors(prefix = ''): Generator<NamedTensor> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Tensor)
        yield { name: prefix + snakeCase(field), tensor: value, layout: this.layoutOf(field) };
    }
    for (const [name, child] of this.children()) yield* child.namedTensors(`${prefix}${name}.`);
  }

  /** Tensors that are trained. */
  namedParameters(): NamedTensor[] {
    return [...this.namedTensors()].filter(({ tensor }) => tensor.requiresGrad);
  }

  /** Tensors that are kept but not trained, such as running statistics. */
  namedBuffers(): NamedTensor[] {
    return [...this.namedTensors()].filter(({ tensor }) => !tensor.requiresGrad);
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(({ tensor }) => tensor);
  }

  /** Number of trained values. */
  get parameterCount(): number {
    return this.parameters().reduce((total, { size }) => total + size, 0);
  }

  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.children()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Stops the training of every parameter inside, for a teacher: nothing computed with them has a gradient. */
  freeze(): this {
    for (const { tensor } of this.namedParameters()) tensor.requiresGrad = false;
    return this.eval();
  }

  zeroGrad(): void {
    for (const { tensor } of this.namedTensors()) {
      tensor.grad?.dispose();
      tensor.grad = null;
    }
  }

  /** Frees every parameter and buffer. */
  dispose(): void {
    this.zeroGrad();
    for (const { tensor } of this.namedTensors()) tensor.dispose();
  }
}
