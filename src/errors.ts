/**
 * Every error the engine throws on purpose: what went wrong, where, and how to fix it.
 * Messages are one paragraph without control characters, so that a command line can print them as they are.
 */
import { printable } from './gpu/printable.ts';

/** What an {@link EngramError} is made from. */
export interface ErrorDetails {
  /** The operation, file or option at fault, for example `conv2d` or `--tasks`. */
  where: string;
  /** What was wrong: shapes and values as given, and what was expected. */
  message: string;
  /** One sentence on how to fix it. */
  fix?: string;
  /** The error that led to this one, as JavaScript's own `cause`. */
  cause?: unknown;
}

/** Base class: `code` is stable and fit for `switch`; `where`, `reason`, `fix` are for people, as they were given. */
export class EngramError extends Error {
  /** The operation, file or option at fault. */
  readonly where: string;
  /** What was wrong alone, for messages of others that tell of it. */
  readonly reason: string;
  /** One sentence on how to fix it, where there is one. */
  readonly fix: string | undefined;

  constructor(
    readonly code: string,
    details: ErrorDetails,
  ) {
    super(printable(`${details.where}: ${details.message}${details.fix ? ` ${details.fix}` : ''}`), {
      cause: details.cause,
    });
    this.name = new.target.name;
    this.where = details.where;
    this.reason = details.message;
    this.fix = details.fix;
  }
}

/** The type is written out: inferred it would name Node's own, which a page's project does not have. */
const coded = (code: string): (new (details: ErrorDetails) => EngramError) =>
  class extends EngramError {
    constructor(details: ErrorDetails) {
      super(code, details);
    }
  };

/** Shapes that do not fit the operation or each other. */
export class ShapeError extends coded('shape') {}
/** A dtype the operation does not take. */
export class DTypeError extends coded('dtype') {}
/** An argument out of its range. */
export class ArgumentError extends coded('argument') {}
/** A tensor was used after it was freed. */
export class FreedTensorError extends coded('freed') {}
/** A tensor of another engine was mixed in. */
export class EngineMismatchError extends coded('engine') {}
/** Autograd was asked for something it cannot do. */
export class AutogradError extends coded('autograd') {}
/** No adapter, or a device that could not be had. */
export class AdapterError extends coded('adapter') {}
/** A kernel or command the device refused; what it says in several lines becomes one. */
export class ValidationError extends coded('validation') {
  constructor(details: ErrorDetails) {
    super({ ...details, message: details.message.replace(/\s*\n\s*/g, ' ') });
  }
}
/** The device ran out of memory. */
export class OutOfMemoryError extends coded('out-of-memory') {}
/** The device was lost: every tensor on it is gone. */
export class DeviceLostError extends coded('device-lost') {}
/** A file or data set that is missing, damaged or does not fit. */
export class DataError extends coded('data') {}
/** A configuration that cannot work. */
export class ConfigError extends coded('config') {}
/** A checkpoint that is damaged or belongs to another model. */
export class CheckpointError extends coded('checkpoint') {}
