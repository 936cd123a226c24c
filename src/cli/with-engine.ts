/** One engine for the length of a command, told to the user in one line. */
import '../tensor/scope.ts';
import '../tensor/create.ts';
import '../ops/methods.ts';
import picocolors from 'picocolors';
import { Engine } from '../gpu/engine.ts';

export async function withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create();
  console.log(picocolors.dim(`adapter   ${engine.adapterDescription}`));
  try {
    return await use(engine);
  } finally {
    await engine.destroy();
  }
}
