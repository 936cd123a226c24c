/** Child process of the adapter's story: asks for an adapter, makes a device and prints one line about the outcome. */

import { requestAdapter } from '#adapter';
import { EngramError } from '../../src/errors.ts';

try {
  const { adapter, kind, description } = await requestAdapter();
  const device = await adapter.requestDevice();
  device.destroy();
  console.log(`${kind}: ${description}`);
} catch (error) {
  if (!(error instanceof EngramError)) throw error;
  console.log(`${error.name}: ${error.message}`);
}
