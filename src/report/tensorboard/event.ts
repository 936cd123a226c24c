/**
 * TensorBoard's events as protocol buffers. The numbers of the fields are those of `event.proto`, `summary.proto` and `tensor.proto` of
 * TensorFlow; what is not written here has its default there.
 */
import { PbfReader, PbfWriter } from 'pbf';

/** A picture as PNG. */
export interface EventPicture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What is shown under a tag: a number, a picture, or Markdown. */
export type EventValue = { readonly tag: string } & (
  | { readonly scalar: number }
  | { readonly picture: EventPicture }
  | { readonly text: string }
);

export interface RunEvent {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly values: readonly EventValue[];
}

/** The first event of every file. */
const FILE_VERSION = 'brain.Event:2';

const RGB = 3;
const STRING = 7;

function writePicture({ png, width, height }: EventPicture, pbf: PbfWriter): void {
  pbf.writeVarintField(1, height);
  pbf.writeVarintField(2, width);
  pbf.writeVarintField(3, RGB);
  pbf.writeBytesField(4, png);
}

/** A string tensor [1]. */
function writeText(text: string, pbf: PbfWriter): void {
  pbf.writeVarintField(1, STRING);
  pbf.writeMessage(
    2,
    (size: number, shape) => shape.writeMessage(2, (n: number, dim) => dim.writeVarintField(1, n), size),
    1,
  );
  pbf.writeBytesField(8, new TextEncoder().encode(text));
}

/** Which dashboard shows it. */
const writeMetadata = (plugin: string, pbf: PbfWriter): void =>
  pbf.writeMessage(1, (name: string, data) => data.writeStringField(1, name), plugin);

function writeValue(value: EventValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, value.tag);
  if ('scalar' in value) pbf.writeFloatField(2, value.scalar);
  else if ('picture' in value) pbf.writeMessage(4, writePicture, value.picture);
  else {
    pbf.writeMessage(8, writeText, value.text);
    pbf.writeMessage(9, writeMetadata, 'text');
  }
}

/** The data of a record. */
export function encodeEvent({ time, step, values }: RunEvent): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, time / 1000);
  pbf.writeVarintField(2, step);
  pbf.writeMessage(
    5,
    (all: readonly EventValue[], summary) => {
      for (const value of all) summary.writeMessage(1, writeValue, value);
    },
    values,
  );
  return pbf.finish();
}

/**
 * The event that a file begins with.
 * @param time milliseconds since 1970. @param writer by which the file is known again.
 */
export function encodeFirstEvent(time: number, writer: string): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, time / 1000);
  pbf.writeStringField(3, FILE_VERSION);
  pbf.writeMessage(10, (name: string, source) => source.writeStringField(1, name), writer);
  return pbf.finish();
}

/** Who wrote the file that begins with this event; nothing where it does not say. */
export function writerOf(event: Uint8Array): string | undefined {
  const found: { writer?: string } = {};
  try {
    new PbfReader(event).readFields((tag, result, pbf) => {
      if (tag !== 10) return;
      pbf.readMessage((field, inner: typeof found, source) => {
        if (field === 1) inner.writer = source.readString();
      }, result);
    }, found);
  } catch {
    return undefined;
  }
  return found.writer;
}
