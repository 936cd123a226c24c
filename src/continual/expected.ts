/** What a setting's schema wants, in words for people. */
import { clipped } from '../gpu/printable.ts';

/** The parts of a valibot schema that are described. */
export interface Described {
  readonly type: string;
  /** The schema itself, then what else it asks. */
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown; readonly description?: string }[];
  readonly options?: readonly string[];
  readonly item?: Described;
}

/** For example `a whole number of at least 1`. */
export function expected(schema: Described): string {
  const said = schema.pipe?.find(({ type }) => type === 'description')?.description;
  if (said !== undefined) return said;
  switch (schema.type) {
    case 'number':
      return `a ${numbers(schema, '')}`;
    case 'array':
      return schema.item ? `a list of ${numbers(schema.item, 's')}` : 'a list';
    case 'picklist':
      return `one of ${schema.options?.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    default:
      return `a ${schema.type}`;
  }
}

/** @param ending `s` for several. */
function numbers({ pipe = [] }: Described, ending: string): string {
  const limit = (type: string): unknown => pipe.find((action) => action.type === type)?.requirement;
  const [least, most, above, below] = ['min_value', 'max_value', 'gt_value', 'lt_value'].map(limit);
  const kind = pipe.some(({ type }) => type === 'safe_integer')
    ? 'whole '
    : pipe.some(({ type }) => type === 'finite')
      ? 'finite '
      : '';
  const bounds = [
    least !== undefined && most === undefined ? `of at least ${least}` : '',
    above !== undefined ? `above ${above}` : '',
    below !== undefined ? `below ${below}` : '',
  ].filter(Boolean);
  const range = most !== undefined ? ` from ${least} to ${most}` : bounds.length > 0 ? ` ${bounds.join(' and ')}` : '';
  return `${kind}number${ending}${range}`;
}

/** A value that did not fit, short enough for a message. */
export function received(value: unknown): string {
  if (Array.isArray(value))
    return clipped(`[${value.map((item) => (Array.isArray(item) ? '[…]' : received(item))).join(', ')}]`);
  if (typeof value === 'string') return clipped(JSON.stringify(value));
  return typeof value === 'object' && value !== null ? 'an object' : clipped(String(value));
}
