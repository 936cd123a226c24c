/** One engine for the length of a command, announced to the user in one line. */
import { environmentOptions } from './environment.ts';
import '../ops/methods.ts';
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import { Engine } from '../tensor/engine.ts';

/** @param quiet say nothing, where the output is for programs. */
export async function withEngine<T>(
  use: (engine: Engine) => Promise<T>,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<T> {
  const engine = await Engine.create(environmentOptions());
  if (!quiet) console.log(picocolors.dim(`adapter   ${printable(engine.adapterDescription)}`));
  try {
    return await use(engine);
  } finally {
    await engine.destroy();
  }
}
