/** Running a case on the device and freeing everything it made. */
import type { Tensor } from '../../../src/index.ts';
import { engine } from '../engine.ts';

type Numbers = Awaited<ReturnType<Tensor['data']>>;

/** Runs `make`, reads the tensors it returns and frees all that it made; `null` stands for a gradient that is missing. */
export async function read<T extends Readonly<Record<string, Tensor | null>>>(
  make: () => T,
): Promise<{ [K in keyof T]: Numbers }> {
  const entries = Object.entries(engine.scope(make));
  const numbers = await Promise.all(
    entries.map(async ([name, tensor]) => {
      if (!tensor) throw new Error(`${name} is missing`);
      return [name, await tensor.data()] as const;
    }),
  );
  for (const [, tensor] of entries) tensor?.dispose();
  return Object.fromEntries(numbers) as { [K in keyof T]: Numbers };
}
