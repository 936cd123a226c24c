/** How a state does not fit a model, described so that it can be fixed. */
import { CheckpointError } from '../errors.ts';

/** How many of a kind are named. */
const NAMED = 3;

const few = (items: readonly string[]): string => {
  const more = items.length - NAMED;
  return `${items.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

const quoted = (names: readonly string[]): string[] => names.map((name) => `"${name}"`);

/** What stands in `longer` before every name of `shorter`, if that is what sets them apart. */
function prefixIn(longer: readonly string[], shorter: readonly string[]): string | undefined {
  const [name] = shorter;
  if (name === undefined) return undefined;
  const known = new Set(longer);
  const prefixes = longer.flatMap((other) => (other.endsWith(`.${name}`) ? [other.slice(0, -name.length)] : []));
  return prefixes.find((prefix) => shorter.every((other) => known.has(prefix + other)));
}

export class Misfits {
  /** Names in the model that the state does not have. */
  readonly missing: readonly string[];
  /** Names in the state that the model does not have. */
  readonly unexpected: readonly string[];
  /** What is wrong with those that both have. */
  readonly mismatched: string[] = [];

  constructor(model: ReadonlySet<string>, state: ReadonlySet<string>) {
    this.missing = [...model].filter((name) => !state.has(name));
    this.unexpected = [...state].filter((name) => !model.has(name));
  }

  /** @throws {CheckpointError} when the model cannot be loaded; without `strict` names may be missing or unexpected. */
  check(where: string, strict: boolean): void {
    const { missing, unexpected, mismatched } = this;
    const names = strict ? missing.length + unexpected.length : 0;
    if (names + mismatched.length === 0) return;
    const parts = [
      names > 0 && missing.length > 0 ? `Missing: ${few(quoted(missing))}.` : '',
      names > 0 && unexpected.length > 0 ? `Not in the model: ${few(quoted(unexpected))}.` : '',
      mismatched.length > 0 ? `Mismatched: ${few(mismatched)}.` : '',
    ];
    throw new CheckpointError({
      where,
      message: `the state does not fit the model. ${parts.filter((part) => part !== '').join(' ')}`,
      fix: names > 0 ? this.fixForNames() : SAME_SIZES,
    });
  }

  private fixForNames(): string {
    const there = prefixIn(this.unexpected, this.missing);
    if (there) return `Names in the state begin with "${there}": remove that before loading.`;
    const here = prefixIn(this.missing, this.unexpected);
    if (here) return `Names in the model begin with "${here}": load into that part of it.`;
    return `${SAME_SIZES} With { strict: false } what fits is loaded.`;
  }
}

const SAME_SIZES =
  'Create the model with the same depth, width, channels and number of classes as the one that was saved.';
