/** The lines by which a WGSL file names the files it builds on. */
import { endOfHead } from './text.ts';

export interface ImportLine {
  /** Path of the file from the shaders folder, as written. */
  readonly path: string;
  /** Line of the importing file, from 1. */
  readonly line: number;
}

const IMPORT = /^[ \t]*\/\/[ \t]*import[ \t]+(.*\.wgsl.*?)\s*$/;

/**
 * The lines `// import lib/quads.wgsl` of a file, one file each. Only those among the comments and directives at its head
 * count: further down, a comment is a comment.
 */
export function importLines(text: string): ImportLine[] {
  // Nearly all texts have none.
  if (!text.includes('import')) return [];
  return text
    .slice(0, endOfHead(text))
    .split('\n')
    .flatMap((line, i) => {
      const path = IMPORT.exec(line)?.[1];
      return path === undefined ? [] : [{ path, line: i + 1 }];
    });
}
