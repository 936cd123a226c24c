/**
 * The same work in other WebGPU engines, on the same adapter: TensorFlow.js and jax-js next to Engram. Each engine has a
 * process of its own and the same inputs; each sample of a training step ends with its loss on the CPU, and the losses must agree.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProcessCase, ProcessResult, TimingOptions } from '../bench-case.ts';
import { writeInputs } from './peer-inputs.ts';
import { installPeers, peerVersion } from './peer-packages.ts';
import { PEER_FLAG, type PeerReport } from './peer-process.ts';
import { PEER_ENGINES, PEER_WORKS, type PeerEngine, type PeerTask, type PeerWork } from './peer-work.ts';

/** jax-js takes minutes to compile a ResNet when the driver's shader cache is empty. */
const MOST_MS = 20 * 60_000;
const TOLERANCE = 1e-3;

/** What Engram measured: the case that the others are compared with always comes first. */
const ofEngram = new Map<PeerWork, PeerReport>();

async function inOwnProcess(task: PeerTask): Promise<PeerReport> {
  const program = process.argv[1] as string;
  const child = promisify(execFile)(process.execPath, [program, PEER_FLAG, JSON.stringify(task)], { timeout: MOST_MS });
  const { stdout } = await child.catch((error: { stderr: string; killed: boolean }) => {
    const reported = error.stderr.split('\n').findLast((line) => line.startsWith('bench: '));
    const why = error.killed ? `was not done after ${MOST_MS / 60_000} minutes` : (reported ?? error.stderr).trim();
    throw new Error(why || 'its process ended without a word');
  });
  const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
  if (!line) throw new Error('its process printed no result');
  return JSON.parse(line) as PeerReport;
}

/** In what a report is other work than Engram's; undefined when it is the same. */
function difference(report: PeerReport, engram: PeerReport | undefined): string | undefined {
  if (!engram) return 'Engram gave nothing to compare with';
  if (report.adapter !== engram.adapter) return `runs on ${report.adapter}, Engram on ${engram.adapter}`;
  const relative = report.values.map((value, i) => Math.abs(value / (engram.values[i] as number) - 1));
  // Written so that NaN differs too.
  if (relative.every((by) => by <= TOLERANCE)) return undefined;
  return `computes ${report.values.join(', ')}, Engram ${engram.values.join(', ')}`;
}

async function measure(work: PeerWork, engine: PeerEngine, { samples }: TimingOptions): Promise<ProcessResult> {
  if (engine !== 'engram') await installPeers();
  const folder = await mkdtemp(join(tmpdir(), 'engram-peers-'));
  try {
    const inputs = join(folder, 'inputs.safetensors');
    const cost = await writeInputs(inputs, work);
    const report = await inOwnProcess({ engine, work, inputs, ...(samples === undefined ? {} : { samples }) });
    if (engine === 'engram') ofEngram.set(work, report);
    const { values, adapter, ...timing } = report;
    const differs = difference(report, ofEngram.get(work));
    return {
      ...timing,
      ...cost,
      version: peerVersion(engine),
      ...(work.kind === 'training' ? { losses: values } : {}),
      ...(differs ? { differs } : {}),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const peerCases: readonly ProcessCase[] = PEER_WORKS.flatMap((work) =>
  PEER_ENGINES.map((engine) => ({
    name: `peers/${work.name}/${engine}`,
    ...(engine === 'engram' ? {} : { versus: `peers/${work.name}/engram` }),
    onlyNamed: true,
    measure: (options: TimingOptions) => measure(work, engine, options),
  })),
);
