/**
 * Modules: a forward function with named parameters and buffers. Names follow PyTorch's state dicts, so that weights
 * pass between the two; a tensor field `runningMean` is called `running_mean` there.
 */
import { letUsingDispose } from '../tensor/dispose.ts';
import type { Engine } from '../tensor/engine.ts';
import { letInspectTell } from '../tensor/inspect.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { heldIn } from './fields.ts';

/** How a tensor's axes are ordered in PyTorch: weights of convolutions along two axes and one, linear weights, or as here. */
export type TorchLayout = 'OIHW' | 'OIW' | 'OI' | 'same';

/** A parameter, a buffer or an optimizer's state, as files know it. */
export interface NamedTensor {
  /** PyTorch's key, for example `layer1.0.conv1.weight`. */
  readonly name: string;
  readonly tensor: Tensor;
  /** How PyTorch orders its axes. */
  readonly layout: TorchLayout;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isModule = (value: unknown): value is AnyModule => value instanceof Module;
const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;

/** What {@link Module.freeze} took the gradient from, for {@link Module.unfreeze}. */
const asleep = new WeakSet<Tensor>();

/** A module whatever it takes and gives: what is trained, saved, copied or averaged. */
// biome-ignore lint/suspicious/noExplicitAny: what a module takes is known to those alone who call it
export type AnyModule = Module<any, any>;

/**
 * Tensors and modules are found in the fields of a module, and in arrays, maps and plain objects there, however deep:
 * `this.blocks = [new Block(), new Block()]` is PyTorch's ModuleList, with names such as `blocks.0.weight`, and
 * `this.heads = { left: new Head() }` its ModuleDict. What several paths lead to is listed, trained and saved once, under the
 * first one. Private `#fields` and sets are not searched. A module whose tensors PyTorch orders otherwise overrides
 * `layoutOf(field)`, as the layers here do.
 *
 * A module takes one tensor and gives one, unless its class says otherwise:
 * `class Decoder extends Module<[x: Tensor, memory: Tensor], Tensor>`.
 */
export abstract class Module<Inputs extends readonly unknown[] = [x: Tensor], Output = Tensor> {
  // Not `private`: a subclass may have fields of these names.
  #mode = true;
  #frozen = false;

  constructor(readonly engine: Engine) {}

  /** What the module makes of a batch. */
  abstract forward(...inputs: Inputs): Output;

  /** Batch norm and dropout behave differently in training; set with {@link train} and {@link eval}. Always false when frozen. */
  get training(): boolean {
    return this.#mode && !this.#frozen;
  }

  /** Of this module alone: {@link train} and {@link eval} set those inside too. */
  set training(mode: boolean) {
    this.#mode = mode;
  }

  /** Between {@link freeze} and {@link unfreeze}. */
  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** The modules directly inside, by field name; those in containers as `blocks.0`, `heads.left`. */
  *children(): Generator<[string, AnyModule]> {
    for (const [field, value] of Object.entries(this)) yield* heldIn(field, value, isModule);
  }

  /** This module and every one inside, each once, by the first path to it; this one's is `''`, as in PyTorch. */
  *namedModules(path = '', seen = new Set<AnyModule>()): Generator<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [path, this];
    for (const [name, child] of this.children()) yield* child.namedModules(path ? `${path}.${name}` : name, seen);
  }

  /** PyTorch's axis order of a field's tensor, or of those in a container there. */
  protected layoutOf(_field: string): TorchLayout {
    return 'same';
  }

  /** Parameters and buffers of this module alone. */
  *ownTensors(): Generator<NamedTensor> {
    for (const [field, value] of Object.entries(this)) {
      for (const [name, tensor] of heldIn(snakeCase(field), value, isTensor)) {
        yield { name, tensor, layout: this.layoutOf(field) };
      }
    }
  }

  /** Every parameter and buffer, in order of definition. */
  *namedTensors(prefix = ''): Generator<NamedTensor> {
    const seen = new Set<Tensor>();
    for (const [path, module] of this.namedModules()) {
      for (const { name, tensor, layout } of module.ownTensors()) {
        if (seen.has(tensor)) continue;
        seen.add(tensor);
        yield { name: `${prefix}${path && `${path}.`}${name}`, tensor, layout };
      }
    }
  }

  /** Tensors that are trained. */
  namedParameters(): NamedTensor[] {
    return [...this.namedTensors()].filter(({ tensor }) => tensor.requiresGrad);
  }

  /** Tensors that are kept but not trained, such as running statistics. */
  namedBuffers(): NamedTensor[] {
    return [...this.namedTensors()].filter(({ tensor }) => !tensor.requiresGrad);
  }

  /** Tensors that are trained, without their names. */
  parameters(): Tensor[] {
    return this.namedParameters().map(({ tensor }) => tensor);
  }

  /** Number of trained values. */
  get parameterCount(): number {
    return this.parameters().reduce((total, { size }) => total + size, 0);
  }

  /** Training mode for all modules inside; frozen ones change to it when they are unfrozen. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Inference for all modules inside: running statistics as they are, no dropout. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Stops the training of everything inside, for a teacher or a backbone: nothing computed with its parameters has a gradient
   * for them, and its modules stay in inference (running statistics as they are, no dropout), `train()` of a module around
   * them or not, until {@link unfreeze}.
   */
  freeze(): this {
    for (const [, module] of this.namedModules()) module.#frozen = true;
    for (const { tensor } of this.namedParameters()) {
      tensor.requiresGrad = false;
      asleep.add(tensor);
    }
    return this;
  }

  /**
   * Undoes {@link freeze}, of this module or of one around it: what was trained before is trained again, and the mode is the
   * one last set. Optimizers made meanwhile do not know these parameters: make new ones.
   */
  unfreeze(): this {
    for (const [, module] of this.namedModules()) module.#frozen = false;
    for (const { tensor } of this.namedTensors()) if (asleep.delete(tensor)) tensor.requiresGrad = true;
    return this;
  }

  /** Frees the gradients of everything inside. */
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

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;

  /** For people: what is inside, a line a module, with the shapes of what each has. */
  toString(): string {
    const own = [...this.ownTensors()].map(({ name, tensor }) => `${name} ${show(tensor.shape)}`);
    const inside = [...this.children()].map(([name, module]) => `\n  ${name}: ${`${module}`.replaceAll('\n', '\n  ')}`);
    return `${this.constructor.name}(${own.join(', ')})${inside.join('')}`;
  }
}

letUsingDispose(Module);
letInspectTell(Module);
