/** Native libraries that are no Node addons. */
import { constants } from 'node:os';

/** glibc's RTLD_NODELETE, which `os.constants.dlopen` lacks: the library stays loaded after `dlclose`. */
const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library into this process, where whoever asks for its name gets it; one that is loaded already stays.
 * @param name a path, or a name that the system looks for.
 * @throws {Error} when it cannot be loaded, with the reason.
 */
export function loadLibrary(name: string): void {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, name, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    // It is no Node addon, and Node says so after having loaded it: that much is expected.
    if (!(error instanceof Error && error.message.includes('did not self-register'))) throw error;
  }
}
