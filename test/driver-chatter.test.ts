/** What drivers write to a program's stderr: known chatter is kept from the terminal, everything else gets there. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutChatter } from '../src/gpu/adapter/driver-chatter-node.ts';
import { given } from './support/given.ts';

/** What a program writes to its stderr where that is a pipe, as in a shell: Node itself would give it a socket. */
async function stderrOf(...args: string[]): Promise<string> {
  const command = [process.execPath, ...args];
  const { stdout } = await promisify(execFile)('sh', ['-c', '"$0" "$@" 2>&1 > /dev/null | cat', ...command]);
  return stdout;
}

const LIMIT = 'Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit.\n';
const NONE =
  'Warning: vkCreateInstance: Found no drivers!\nWarning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER\n' +
  '    at CheckVkSuccessImpl (VulkanError.cpp:106)\n\n';
const OLD = 'Warning: the driver is too old\n    at Refuse (Device.cpp:1)\n';

test('a message goes with its trace; what is not known stays', () => {
  assert.is(withoutChatter(LIMIT + NONE), '');
  assert.is(withoutChatter(LIMIT + OLD + NONE), OLD);
  assert.is(withoutChatter(`a line of its own\n${LIMIT}`), 'a line of its own\n');
});

const onLinux = given(process.platform === 'linux', 'Linux');

onLinux('a program that asked for it hears the rest, once, and its stderr goes on', async () => {
  const said = await stderrOf('.build/test/support/print-hushed.js');
  const fire = 'Warning: the GPU is on fire\n';
  assert.is(said, `Warning: maxThings artificially reduced from 3 to 2.\n${fire}${fire}and on\n`);
});

onLinux('a run that goes well says nothing there, whatever drivers there are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engram-chatter-'));
  const tiny =
    '--tasks 1 --class-order 1,3 --train-per-class 4 --test-per-class 2 --epochs 1 --memory 4 --batch 4 --width 2';
  assert.is(await stderrOf('dist/cli.js', 'train', ...tiny.split(' '), '--out', join(folder, 'run')), '');
  await rm(folder, { recursive: true });
});

test.run();
