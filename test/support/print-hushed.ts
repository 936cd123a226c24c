/** Child process of the chatter's story: native code, played by a write to stderr's descriptor, says three things. */
import { writeSync } from 'node:fs';
import { hushed, silenceDrivers } from '../../src/gpu/adapter/driver-chatter-node.ts';

const say = () => writeSync(2, 'Warning: maxThings artificially reduced from 3 to 2.\nWarning: the GPU is on fire\n');
hushed(say);
silenceDrivers();
hushed(say);
console.error('and on');
