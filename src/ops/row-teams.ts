/** How kernels that go through rows share them out among threads; see lib/row-teams.wgsl. */
import type { Runtime } from '../gpu/runtime.ts';

export interface RowTeams {
  readonly constants: { readonly SIZE: number; readonly WIDTH: number; readonly JOINED: boolean };
  readonly workgroups: number;
}

/** Elements that the rows of a workgroup may have on a CPU, so that they stay in its nearest cache. */
const NEAR = 4096;
/** Elements of a row from which on a CPU's vector gains nothing by rows of its own. */
const LONG = 16384;

/**
 * A CPU runs the threads of a workgroup one vector after the other, and barriers are expensive there: a thread goes through a row
 * by itself, unless rows are few. A GPU wants neighbouring threads to read neighbouring elements, some each.
 */
function teamOf(engine: Runtime, rows: number, n: number, inner: number): { SIZE: number; WIDTH: number } {
  if (engine.adapterKind === 'software') {
    if (n >= LONG || (rows < 16 && n >= 64)) return { SIZE: 16, WIDTH: 16 };
    return { SIZE: rows >= 1024 && (inner > 1 || n * 64 <= NEAR) ? 64 : 8, WIDTH: 1 };
  }
  const isAside = inner >= 32 && rows >= 4096;
  const WIDTH = isAside ? 1 : 2 ** Math.min(8, Math.max(0, Math.ceil(Math.log2(n / 8))));
  return { SIZE: Math.max(64, WIDTH), WIDTH };
}

/** For the lines along the middle axis of [outer, n, inner]. */
export function rowTeams(engine: Runtime, outer: number, n: number, inner: number): RowTeams {
  const rows = outer * inner;
  const team = teamOf(engine, rows, n, inner);
  return {
    constants: { ...team, JOINED: inner === 1 },
    workgroups: Math.ceil((rows * team.WIDTH) / team.SIZE),
  };
}
