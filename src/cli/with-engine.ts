/** One engine for the length of a command, told to the user in one line. */
import '../tensor/scope.ts';
import '../tensor/create.ts';
import '../ops/methods.ts';
import picocolors from 'picocolors';
import { Engine } from '../gpu/engine.ts';
import { printable } from '../gpu/printable.ts';

/** @param quiet say nothing, where the output is for programs. */
export async function withEngine<T>(
  use: (engine: Engine) => Promise<T>,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<T> {
  const engine = await Engine.create();
  if (!quiet) console.log(picocolors.dim(`adapter   ${printable(engine.adapterDescription)}`));
  try {
    return await use(engine);
  } finally {
    await engine.destroy();
  }
}
