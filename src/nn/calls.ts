/** Looks on while modules are called. */
import type { AnyModule } from './module.ts';

/** What is told of a module's call; each is optional. */
export interface CallWatcher {
  /** Before it is called. */
  enter?(module: AnyModule): void;
  /** When it has given its output. */
  leave?(module: AnyModule, inputs: readonly unknown[], output: unknown): void;
}

/** Runs something with the modules in inference, and tells of each call of their `forward`; all is as it was before afterwards. */
export function watchCalls<T>(modules: readonly AnyModule[], watcher: CallWatcher, run: () => T): T {
  const awake = modules.filter(({ training }) => training);
  const before = modules.map((module) => Object.getOwnPropertyDescriptor(module, 'forward'));
  try {
    for (const module of awake) module.training = false;
    for (const module of modules) {
      const forward: (...inputs: unknown[]) => unknown = module.forward;
      const value = (...inputs: unknown[]) => {
        watcher.enter?.(module);
        const output = forward.apply(module, inputs);
        watcher.leave?.(module, inputs, output);
        return output;
      };
      Object.defineProperty(module, 'forward', { value, configurable: true, enumerable: false, writable: true });
    }
    return run();
  } finally {
    modules.forEach((module, i) => {
      const own = before[i];
      if (own) Object.defineProperty(module, 'forward', own);
      else Reflect.deleteProperty(module, 'forward');
    });
    for (const module of awake) module.training = true;
  }
}
