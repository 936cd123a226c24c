/** The peers' packages: installed beside this folder's package.json when first needed, and loaded from there. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PeerEngine } from './peer-work.ts';

/** As seen from `.build/bench`, where the benchmark program is built to. */
const FOLDER = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const MAIN_PACKAGE: Record<Exclude<PeerEngine, 'engram'>, string> = {
  tfjs: '@tensorflow/tfjs-core',
  'jax-js': '@jax-js/jax',
};

/** TensorFlow.js with its gradients, which stand in modules that only bundlers can read. */
const TENSORFLOW = `
  import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
  import '@tensorflow/tfjs-backend-webgpu';
  export * from '@tensorflow/tfjs-core';
`;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const installed = (name: string): string => join(FOLDER, 'node_modules', name);
const isInstalled = ([name, version]: [string, string]): boolean =>
  existsSync(join(installed(name), 'package.json')) && manifest(installed(name)).version === version;

/** The version of an engine. */
export const peerVersion = (engine: PeerEngine): string =>
  manifest(engine === 'engram' ? join(FOLDER, '../..') : installed(MAIN_PACKAGE[engine])).version;

const tensorflowBundle = (): string => join(FOLDER, 'node_modules', `tensorflow-${peerVersion('tfjs')}.cjs`);

let installing: Promise<void> | undefined;

/**
 * Installs the peers unless they are there; tried once.
 * @throws {Error} with npm's own words when that fails.
 */
export function installPeers(): Promise<void> {
  installing ??= install();
  return installing;
}

async function install(): Promise<void> {
  if (!Object.entries(manifest(FOLDER).dependencies).every(isInstalled)) {
    console.error(`Installing the peers into ${FOLDER}node_modules …`);
    try {
      const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
      await promisify(execFile)(npm, ['install', '--no-audit', '--no-fund'], { cwd: FOLDER });
    } catch (error) {
      const { message } = error as Error;
      throw new Error(
        `the peers could not be installed. Try \`npm install\` in ${FOLDER} yourself.\n${message.trim()}`,
      );
    }
  }
  if (existsSync(tensorflowBundle())) return;
  const { build } = await import('esbuild');
  await build({
    stdin: { contents: TENSORFLOW, resolveDir: FOLDER },
    outfile: tensorflowBundle(),
    bundle: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    format: 'cjs',
    logLevel: 'error',
  });
}

/** Loads an installed peer. What is loaded is described by hand, where it is used. */
export const loadPeer = (engine: Exclude<PeerEngine, 'engram'>): unknown =>
  createRequire(join(FOLDER, 'package.json'))(engine === 'tfjs' ? tensorflowBundle() : MAIN_PACKAGE[engine]);
