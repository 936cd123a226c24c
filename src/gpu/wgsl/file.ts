/** What a WGSL file is to the engine: its text, what it builds on, and what the build has read off it. */
import type { Constants } from './constants.ts';
import type { ParamsLayout } from './params.ts';

/** A WGSL file with the files it builds on, as the build makes of every `.wgsl`. */
export interface WgslFile {
  /** Path from the shaders folder: `lib/quads.wgsl`. */
  readonly name: string;
  /** The WGSL itself, its import lines among it. */
  readonly text: string;
  /** The files that its import lines name. */
  readonly imports: readonly WgslFile[];
  /**
   * The entry points of it and of what it imports, as the build has read them.
   * @internal
   */
  readonly entries?: Readonly<Record<string, EntryText>>;
  /**
   * Reads them off its text, where the build has not.
   * @internal
   */
  readonly reflect?: EntryReader;
  /**
   * What makes it a kernel for several parameters at once; see `shaders/optim/slots.wgsl`.
   * @internal
   */
  readonly slots?: SlotTemplate;
}

/** A file for one slot, taken apart by the build. */
export interface SlotTemplate {
  /**
   * What is there once and what is there once a slot, by turns, the former first. `$` is a slot's number, `#3` the binding 3
   * of the first slot, and `?4` a binding behind those of the slots.
   */
  readonly parts: readonly string[];
  /** The first binding of a slot, and how many a slot has. */
  readonly first: number;
  readonly each: number;
}

export interface Binding {
  /** The variable's name; empty where the build has read it, for errors in the project's own launches need none. */
  readonly name: string;
  readonly binding: number;
  readonly type: GPUBufferBindingType;
}

export interface EntryPoint {
  /** Those that the entry point can reach, in binding order. */
  readonly bindings: readonly Binding[];
  /** How its uniform is laid out; null where it has none. */
  readonly params: ParamsLayout | null;
}

/**
 * An entry point as the build writes it: `0r1w2u` (read, written, uniform), and its parameters by {@link layoutOf}, or as {@link StructsText}.
 */
export type EntryText = readonly [bindings: string, params?: string | StructsText];

/** A parameter that is an array of structs, each so many words behind the one before. */
export interface StructsText {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly stride: number;
  /** A struct's members, by {@link layoutOf}. */
  readonly members: string;
}

/** Reads an entry point off a file's text. */
export type EntryReader = (file: WgslFile, entry: string, constants: Constants, where: string) => EntryPoint;
