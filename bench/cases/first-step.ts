/**
 * How long a user waits for the first training step: a fresh process, from its start to the loss of the first step on the
 * CPU. With an empty shader cache (`cold`) most of it is the compilation of kernels.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environmentOptions } from '../../src/cli/environment.ts';
import { Engine, type Tensor } from '../../src/index.ts';
import type { ResNetName } from '../../src/nn/resnet.ts';
import type { ProcessCase } from '../bench-case.ts';
import { summarize } from '../bench-timing.ts';
import { trainingStep } from './train.ts';

/** The program's flag that makes it the fresh process. */
export const FIRST_STEP_FLAG = '--first-step-of';

interface FirstStep {
  readonly wall: number;
  readonly cpu: number;
}

/** In the fresh process: takes the step and prints what it took, in milliseconds. */
export async function takeFirstStep(model: ResNetName): Promise<void> {
  const engine = await Engine.create(environmentOptions());
  const work = trainingStep(engine, model, 32);
  await (work.run() as Tensor).item();
  const { user, system } = process.cpuUsage();
  // The clock's zero is the start of the process.
  const taken: FirstStep = { wall: performance.now(), cpu: (user + system) / 1000 };
  console.log(JSON.stringify(taken));
  await engine.destroy();
}

async function inFreshProcess(model: ResNetName, cache: string): Promise<FirstStep> {
  const program = process.argv[1] as string;
  const { stdout } = await promisify(execFile)(process.execPath, [program, FIRST_STEP_FLAG, model], {
    env: { ...process.env, MESA_SHADER_CACHE_DIR: cache },
  });
  return JSON.parse(stdout) as FirstStep;
}

async function withCache<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const firstStepCases: readonly ProcessCase[] = [
  {
    name: 'first-step/resnet8/cold',
    async measure({ samples = 1 }) {
      const taken: FirstStep[] = [];
      for (let i = 0; i < samples; i++) taken.push(await withCache((folder) => inFreshProcess('resnet8', folder)));
      return summarize(taken);
    },
  },
  {
    name: 'first-step/resnet8/warm',
    measure: ({ samples = 3 }) =>
      withCache(async (folder) => {
        await inFreshProcess('resnet8', folder);
        const taken: FirstStep[] = [];
        for (let i = 0; i < samples; i++) taken.push(await inFreshProcess('resnet8', folder));
        return summarize(taken);
      }),
  },
];
