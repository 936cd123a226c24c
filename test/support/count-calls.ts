/** Counts what is asked of a device. */

type Method = {
  [K in keyof GPUDevice]: GPUDevice[K] extends (...args: never[]) => unknown ? K : never;
}[keyof GPUDevice];

/** How often each method is called from now on. */
export function countCalls<M extends Method>(device: GPUDevice, methods: readonly M[]): Record<M, number> {
  const counts = Object.fromEntries(methods.map((method) => [method, 0])) as Record<M, number>;
  for (const method of methods) {
    const original = (device[method] as (...args: unknown[]) => unknown).bind(device);
    Object.defineProperty(device, method, {
      value: (...args: unknown[]) => {
        counts[method]++;
        return original(...args);
      },
    });
  }
  return counts;
}
