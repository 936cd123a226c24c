/** Training a part of a model: the rest keeps its parameters and its statistics meanwhile. */
import type { Module } from '../nn/module.ts';
import type { Disposable } from './disposables.ts';

/**
 * Sets the model to training, or the part alone: then parameters outside it get no gradient, and modules outside it are in
 * inference.
 * @returns what makes trainable again what was, in inference.
 */
export function trainOnly(model: Module, part?: Module): Disposable {
  if (!part || part === model) {
    model.train();
    return { dispose: () => model.eval() };
  }
  const inside = new Set(part.parameters());
  const outside = model.parameters().filter((parameter) => !inside.has(parameter));
  model.eval();
  part.train();
  for (const parameter of outside) parameter.requiresGrad = false;
  return {
    dispose: () => {
      for (const parameter of outside) parameter.requiresGrad = true;
      model.eval();
    },
  };
}
