/** Child process of the browser story: takes its steps in Node and prints what came of them as JSON. */
import * as continual from '../../src/entries/continual.ts';
import * as engram from '../../src/index.ts';
import { tenSteps, twoTasks } from './ten-steps.ts';

const steps = await tenSteps(engram, false);
console.log(JSON.stringify({ ...steps, learnt: await twoTasks({ ...engram, ...continual }) }));
