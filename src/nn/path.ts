/** The way of an image through a module, where its fields alone do not tell it. */
import type { Module } from './module.ts';

/** Layers behind each other. */
export interface Path {
  readonly along: readonly Module[];
  /** What sees the same as the first of them: the projection of a shortcut. */
  readonly beside?: Module | null;
}

/** A module that says how images go through it; what is counted along the way, as {@link flopsPerImage} does, needs that. */
export interface HasPath {
  /** How an image goes through it. */
  path(): Path;
}

export const hasPath = (module: Module): module is Module & HasPath => 'path' in module;
