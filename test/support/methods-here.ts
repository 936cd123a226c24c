/** The methods that tests of every method run on this adapter. */
import { METHOD_NAMES, type MethodName } from '../../src/continual/methods/index.ts';
import { engine } from './engine.ts';

/**
 * All; on SwiftShader, which compiles every kernel anew and is slow, those that have phases, draws and state of their own: what is
 * another adapter's matter is seen by them.
 */
export const methodsHere: readonly MethodName[] = /swiftshader/i.test(engine.adapterDescription)
  ? ['finetune', 'joint', 'rdkd', 'bic', 'podnet', 'derpp', 'foster']
  : METHOD_NAMES;
