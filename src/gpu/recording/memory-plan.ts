/**
 * Where the tensors of a recorded step lie when all of them are known: offsets in a few large buffers, so that what lives
 * at different times takes the same bytes whatever its size. A WebGPU dispatch may not write to a buffer that it also reads, at
 * no offset, so tensors that meet in one where one of them is written lie in different buffers.
 */

/** The life of one tensor: from the first command that touches it to the last, both included. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  /** Bytes of each buffer. */
  readonly arenas: readonly number[];
  /** Where each tensor lies: which buffer, and where in it, in bytes. */
  readonly places: readonly { readonly arena: number; readonly offset: number }[];
}

export interface PlanLimits {
  /** Offsets are multiples of it. */
  readonly alignment: number;
  /** Bytes that a buffer may have. A tensor that is larger has one of its own. */
  readonly maxBytes: number;
}

interface Placed {
  readonly first: number;
  readonly last: number;
  readonly start: number;
  readonly end: number;
}

interface Arena {
  bytes: number;
  /** By where they start. */
  readonly placed: Placed[];
}

const roundUp = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** The smallest gap in an arena that `bytes` fit into for as long as the span lasts, or the end of what lives then. */
function fit({ placed, bytes: end }: Arena, span: Span, bytes: number): { offset: number; spare: number } {
  let cursor = 0;
  let offset = -1;
  let spare = Number.POSITIVE_INFINITY;
  for (const other of placed) {
    if (other.last < span.first || other.first > span.last) continue;
    const gap = other.start - cursor - bytes;
    if (gap >= 0 && gap < spare) {
      offset = cursor;
      spare = gap;
    }
    if (other.end > cursor) cursor = other.end;
  }
  const gap = end - cursor - bytes;
  // Negative: by so much would the arena grow.
  return offset >= 0 && (gap < 0 || spare <= gap) ? { offset, spare } : { offset: cursor, spare: gap };
}

function insert(placed: Placed[], one: Placed): void {
  let at = placed.length;
  while (at > 0 && (placed[at - 1] as Placed).start > one.start) at--;
  placed.splice(at, 0, one);
}

/** Places spans one after the other, each where the arenas grow least and the fewest bytes are lost. */
function place(
  order: readonly number[],
  spans: readonly Span[],
  conflicts: readonly (readonly number[])[],
  { alignment, maxBytes }: PlanLimits,
): MemoryPlan {
  const arenas: Arena[] = [];
  const places: { arena: number; offset: number }[] = new Array(spans.length);
  for (const i of order) {
    const span = spans[i] as Span;
    const bytes = roundUp(span.bytes, alignment);
    const shunned = (conflicts[i] as readonly number[]).map((other) => places[other]?.arena);
    let best = -1;
    let where = { offset: 0, spare: Number.NEGATIVE_INFINITY };
    for (let a = 0; a < arenas.length; a++) {
      if (shunned.includes(a)) continue;
      const found = fit(arenas[a] as Arena, span, bytes);
      if (found.offset + bytes > maxBytes) continue;
      const isBetter = where.spare < 0 ? found.spare > where.spare : found.spare >= 0 && found.spare < where.spare;
      if (!isBetter) continue;
      best = a;
      where = found;
    }
    if (best < 0) best = arenas.push({ bytes: 0, placed: [] }) - 1;
    const arena = arenas[best] as Arena;
    const end = where.offset + bytes;
    arena.bytes = Math.max(arena.bytes, end);
    insert(arena.placed, { first: span.first, last: span.last, start: where.offset, end });
    places[i] = { arena: best, offset: where.offset };
  }
  return { arenas: arenas.map(({ bytes }) => bytes), places };
}

/** The most bytes that live at once: no plan takes less. */
export function mostAlive(spans: readonly Span[]): number {
  const change = new Map<number, number>();
  const add = (at: number, bytes: number) => change.set(at, (change.get(at) ?? 0) + bytes);
  for (const { bytes, first, last } of spans) {
    add(first, bytes);
    add(last + 1, -bytes);
  }
  let alive = 0;
  let most = 0;
  for (const [, bytes] of [...change].sort(([a], [b]) => a - b)) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}

/** A plan that takes so much more than the least there can be is not worth looking for a better one. */
const CLOSE = 1.02;

/**
 * Packs spans greedily in several orders (the largest first; the one with the most bytes times commands first; as they come;
 * the last first), and takes the plan with the fewest bytes. Largest first is within a few percent of the least on most
 * networks (Pisarchyk and Lee, 2020, arXiv 2001.03288).
 * @param conflicts for each span those that may not share its buffer.
 */
export function planMemory(
  spans: readonly Span[],
  conflicts: readonly (readonly number[])[],
  limits: PlanLimits,
): MemoryPlan {
  const keys: ((span: Span) => number)[] = [
    ({ bytes }) => -bytes,
    ({ bytes, first, last }) => -bytes * (last - first + 1),
    ({ first }) => first,
    ({ last }) => -last,
  ];
  const enough = CLOSE * mostAlive(spans);
  let best: MemoryPlan = { arenas: [], places: [] };
  let least = Number.POSITIVE_INFINITY;
  for (const key of keys) {
    const by = spans.map(key);
    const order = by.map((_, i) => i).sort((a, b) => (by[a] as number) - (by[b] as number));
    const plan = place(order, spans, conflicts, limits);
    const total = plan.arenas.reduce((sum, bytes) => sum + bytes, 0);
    if (total < least) [best, least] = [plan, total];
    if (total <= enough) break;
  }
  return best;
}
