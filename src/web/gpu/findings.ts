/** All that was told so far: it stays when a device is lost, and goes into the files to download. */
import { jsonLine, type Result, rate } from '../../../bench/bench-line.ts';
import { version } from '../../../package.json';
import { type AdapterReport, type MeasuredPiece, PARTS, type Part, type Told, type Verdict } from './protocol.ts';

export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** What became of a part. */
export type PartState = 'not yet' | 'under way' | 'done' | 'stopped' | 'failed';

/** A share of a ceiling, and which. */
export interface Share {
  readonly share: number;
  readonly of: string;
}

/** JSON knows no infinities; what failed may have some. */
const inJson = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

export class Findings {
  adapter: AdapterReport | null = null;
  /** The engine's name for its adapter, once it has one. */
  private opened: string | null = null;
  readonly ceilings = new Map<string, Result>();
  readonly benchmarks = new Map<string, Result>();
  readonly pieces = new Map<string, MeasuredPiece>();
  verdicts: Verdict[] = [];
  readonly leftOut = new Map<Part, LeftOut[]>();
  readonly states = new Map<Part, PartState>();
  /** What was under way last. */
  doing: Extract<Told, { type: 'doing' }> | null = null;
  /** Why the last run was broken off, and at what. */
  failure: { readonly code: string; readonly message: string; readonly at: string | null } | null = null;

  add(told: Told): void {
    switch (told.type) {
      case 'doing':
        this.doing = told;
        break;
      case 'begun':
        this.doing = null;
        this.failure = null;
        this.forget(told.part);
        this.states.set(told.part, 'under way');
        break;
      case 'adapter':
        this.adapter = told;
        break;
      case 'opened':
        this.opened = told.description;
        break;
      case 'measured':
        this[told.part].set(told.result.name, told.result);
        break;
      case 'left out':
        this.leftOut.set(told.part, [...(this.leftOut.get(told.part) ?? []), { name: told.name, why: told.why }]);
        break;
      case 'piece':
        this.pieces.set(told.name, told);
        break;
      case 'verdict':
        this.verdicts.push(told);
        break;
      case 'ended':
        this.states.set(told.part, 'done');
        break;
      case 'failed':
        this.failure = { code: told.code, message: told.message, at: this.doing?.name ?? null };
        this.breakOff('failed');
        break;
    }
  }

  /** What was under way is so no more. */
  breakOff(state: 'stopped' | 'failed'): void {
    for (const [part, now] of this.states) if (now === 'under way') this.states.set(part, state);
  }

  stateOf(part: Part): PartState {
    return this.states.get(part) ?? 'not yet';
  }

  /** Whether there is anything to take along: a failure is much. */
  get hasAny(): boolean {
    return this.adapter !== null || this.failure !== null;
  }

  /** Whether all parts have ended. */
  get isWhole(): boolean {
    return PARTS.every((part) => this.stateOf(part) === 'done');
  }

  get failures(): Verdict[] {
    return this.verdicts.filter(({ passed }) => !passed);
  }

  /** GFLOP/s or GB/s of a ceiling at its fastest. */
  ceiling(name: string): number | undefined {
    const result = this.ceilings.get(name);
    return result && rate(result.flops ?? result.bytes, result.min);
  }

  /** Of the ceiling that a rate of so many operations, or else bytes, goes against. */
  shareOf(name: string, { flops, bytes, ms }: Pick<Result, 'flops' | 'bytes' | 'ms'>): Share | null {
    const isHalf = name.endsWith('/f16');
    const of = flops === undefined ? 'ceiling/copy' : isHalf ? 'ceiling/fma-f16' : 'ceiling/fma';
    const [reached, most] = [rate(flops ?? bytes, ms), this.ceiling(of)];
    return reached !== undefined && most ? { share: reached / most, of } : null;
  }

  /** Lines as `npm run -s bench -- --json` prints them, to be put among `bench/results`. */
  linesOf(part: 'ceilings' | 'benchmarks'): string[] {
    const adapter = this.opened ?? this.adapter?.description ?? 'unknown adapter';
    return [...this[part].values()].map((result) => jsonLine(result, adapter));
  }

  /** Everything, as JSON: an element of a list on each line. */
  toJson(): string {
    const { type: _, ...adapter } = this.adapter ?? { type: 'adapter' };
    const states = Object.fromEntries(this.states);
    const { userAgent } = navigator;
    const { failure } = this;
    const head = { engine: version, date: new Date().toISOString(), userAgent, adapter, states, failure };
    const lists = {
      ceilings: this.linesOf('ceilings'),
      benchmarks: this.linesOf('benchmarks'),
      leftOut: [...this.leftOut.values()].flat().map((one) => JSON.stringify(one)),
      variants: [...this.pieces.values()].map(({ type: _, ...piece }) => JSON.stringify(piece)),
      conformance: this.verdicts.map(({ type: _, ...verdict }) => JSON.stringify(verdict, inJson)),
    };
    const texts = Object.entries(lists).map(([name, lines]) => `  "${name}": [${lines.map((l) => `\n    ${l}`)}\n  ]`);
    return `${JSON.stringify(head, null, 2).slice(0, -2)},\n${texts.join(',\n')}\n}\n`;
  }

  private forget(part: Part): void {
    this.leftOut.delete(part);
    if (part === 'adapter') this.adapter = null;
    if (part === 'ceilings' || part === 'benchmarks') this[part].clear();
    if (part === 'variants') this.pieces.clear();
    if (part === 'conformance') this.verdicts = [];
  }
}
