/** Child process of the browser story: takes the ten steps in Node and prints them as JSON. */

import * as engram from '../../src/index.ts';
import { tenSteps } from './ten-steps.ts';

console.log(JSON.stringify(await tenSteps(engram, false)));
