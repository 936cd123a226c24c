/** A folder with TensorBoard's events of one run, and nothing else: files of others are never written over, nor lie beside ours. */
import { readdir, rm } from 'node:fs/promises';
import { files } from '#files';
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { writerOf } from '../report/tensorboard/event.ts';
import { firstRecord } from '../report/tensorboard/record-frame.ts';
import { eventFile, type RunEvents, WRITER } from '../report/tensorboard/run-events.ts';
import { assertWritable } from './writable.ts';

/** As TensorBoard finds them: seconds since 1970, and who wrote it. */
const OWN_NAME = /^events\.out\.tfevents\.\d+\.engram$/;
/** What a process leaves that was killed while it wrote one. */
const HALF_WRITTEN = /^events\.out\.tfevents\.\d+\.engram\.\d+-\d+\.tmp$/;
/** Bytes in which the first record of ours ends. */
const BEGINNING = 1024;

async function isOwn(folder: string, name: string): Promise<boolean> {
  if (HALF_WRITTEN.test(name)) return true;
  if (!OWN_NAME.test(name)) return false;
  const { byteLength, slice } = await files.slices(joinPath(folder, name));
  const first = firstRecord(new Uint8Array(await slice(0, Math.min(byteLength, BEGINNING))));
  return first !== null && (writerOf(first) ?? '').startsWith(`${WRITER} `);
}

/** What is in a folder; nothing if it is missing. @throws {ConfigError} for a file. */
async function namesIn(folder: string) {
  if (!(await files.exists(folder))) return [];
  return readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ConfigError({
      where: folder,
      message: 'this is no folder that can be listed.',
      fix: 'Choose another place for the events.',
      cause,
    });
  });
}

const foreign = (folder: string, name: string) =>
  new ConfigError({
    where: folder,
    message: `there is something here that is no event file of engram's: ${clipped(name)}.`,
    fix: 'Choose another folder, or one that is not there yet: TensorBoard would show both as one run.',
  });

/**
 * Whether events can be put here.
 * @throws {ConfigError} when something else is in the folder.
 * @throws {DataError} when nothing can be written there.
 */
export async function assertEventFolder(folder: string): Promise<void> {
  for (const entry of await namesIn(folder))
    if (!entry.isFile() || !(await isOwn(folder, entry.name))) throw foreign(folder, entry.name);
  await assertWritable(folder);
}

/**
 * Whether folders of runs can be put here, one each.
 * @throws {ConfigError} when files lie in it: events among them would be one more run.
 */
export async function assertFolderOfRuns(folder: string): Promise<void> {
  const file = (await namesIn(folder)).find((entry) => !entry.isDirectory());
  if (file) throw foreign(folder, file.name);
  await assertWritable(folder);
}

/**
 * Writes a run's events, in place of those that are there; a file that holds them already is left alone, so that who follows it
 * goes on.
 * @returns the file, and what goes on with it.
 */
export async function writeEvents(folder: string, record: RunRecord): Promise<{ path: string; events: RunEvents }> {
  const name = `events.out.tfevents.${Math.floor(Date.parse(record.date) / 1000)}.${WRITER}`;
  const path = joinPath(folder, name);
  const { bytes, events } = eventFile(record);
  const before = (await files.exists(path)) ? await files.read(path) : null;
  if (before === null || Buffer.compare(before, bytes) !== 0) await files.write(path, bytes);
  // Of a run that was here before: two files in one folder are one run.
  const others = (await namesIn(folder)).filter((entry) => entry.name !== name);
  await Promise.all(others.map((entry) => rm(joinPath(folder, entry.name), { force: true })));
  return { path, events };
}
