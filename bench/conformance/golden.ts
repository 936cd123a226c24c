/** `npm run -s golden -- DIR`: compares the engine with reference files. Exit code 1 on a failure, 2 on bad arguments. */
import { silenceDrivers } from '../../src/gpu/adapter/driver-chatter-node.ts';
import { golden } from './golden-runner.ts';

silenceDrivers();
process.exit(await golden(process.argv.slice(2), (line) => console.log(line)));
