/** All of a session as one safetensors file: both learners, the visitor's pictures, and how it went. */
import { CheckpointError, readSafetensors, type SafetensorsEntry, writeSafetensors } from 'engram';
import type { OfEach, OwnClass, Stage } from './protocol.ts';

const FAMILY = 'engram teach ';
const FORMAT = `${FAMILY}1`;

/** What the two say of the test pictures. */
export type Said = OfEach<readonly string[]>;

export interface SessionFile {
  /** Their files. */
  readonly learners: OfEach<Uint8Array>;
  readonly classes: readonly OwnClass[];
  readonly stages: readonly Stage[];
  /** Classes that were there before anything was taught here. */
  readonly oldClasses: readonly string[];
  /** As `Ready.made`. */
  readonly made: { readonly accuracy: string; readonly pictures: string } | null;
  /** What they said of the test pictures in the beginning, and what they say now. */
  readonly first: Said;
  readonly now: Said;
}

type Description = Omit<SessionFile, 'learners' | 'classes'> & {
  readonly classes: readonly Omit<OwnClass, 'pictures'>[];
};

const bytes = (data: Uint8Array): SafetensorsEntry => ({
  dtype: 'U8',
  shape: [data.length],
  data: data as Uint8Array<ArrayBuffer>,
});

export function writeSession({ learners, classes, ...others }: SessionFile): Uint8Array<ArrayBuffer> {
  const described: Description = { ...others, classes: classes.map(({ pictures: _, ...one }) => one) };
  return writeSafetensors(
    new Map([
      ['kept', bytes(learners.kept)],
      ['plain', bytes(learners.plain)],
      ...classes.map(({ pictures }, at): [string, SafetensorsEntry] => [`pictures.${at}`, bytes(pictures)]),
    ]),
    { format: FORMAT, session: JSON.stringify(described) },
  );
}

/** @throws {CheckpointError} when it is none, damaged, or of a newer version. */
export function readSession(file: Uint8Array, where: string): SessionFile {
  const { tensors, metadata } = readSafetensors(file, where);
  const { format = '', session = '' } = metadata;
  if (format !== FORMAT) {
    throw new CheckpointError({
      where,
      message: format.startsWith(FAMILY) ? 'a newer version of this page wrote it.' : 'this is no lesson of this page.',
      fix: format.startsWith(FAMILY) ? 'Reload the page, for its newest version.' : 'Start over.',
    });
  }
  const part = (name: string): Uint8Array<ArrayBuffer> => {
    const data = tensors.get(name)?.data;
    if (data instanceof Uint8Array) return new Uint8Array(data);
    throw new CheckpointError({ where, message: `the file is damaged: it has no "${name}".`, fix: 'Start over.' });
  };
  const { classes, ...others } = JSON.parse(session) as Description;
  return {
    ...others,
    learners: { kept: part('kept'), plain: part('plain') },
    classes: classes.map((one, at) => ({ ...one, pictures: part(`pictures.${at}`) })),
  };
}
