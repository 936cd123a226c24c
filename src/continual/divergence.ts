/** Telling training that diverged before anything of it is kept. */
import { noGrad } from '../autograd/tape.ts';
import { ConfigError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import '../ops/methods.ts';
import { min } from '../ops/reduce.ts';
import { concat } from '../ops/strided.ts';
import { named } from './setting-name.ts';

/** @param what is no longer finite, `the loss is` for example. */
export function diverged(where: string, what: string, lr: number): ConfigError {
  return new ConfigError({
    where,
    message: `${what} no longer finite: training diverged at learning rate ${lr}.`,
    fix: `Use a smaller ${named('lr')}, or ${named('warmup')} or ${named('clip')}; what was saved after earlier tasks is untouched.`,
  });
}

/** Whether every parameter and every running statistic is a finite number. Reduced on the device; one read. */
export async function weightsAreFinite(module: Module): Promise<boolean> {
  const { engine } = module;
  const least = noGrad(engine, () =>
    engine.scope(() => {
      const flags = [...module.namedTensors()].map(({ tensor }) =>
        engine.scope(() => min(tensor.isFinite()).reshape([1])),
      );
      return min(concat(flags));
    }),
  );
  try {
    return (await least.item()) === 1;
  } finally {
    least.dispose();
  }
}
