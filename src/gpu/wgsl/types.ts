/** WGSL types as they lie in memory (WGSL specification, 14.4: alignment and size), for the uniform address space. */
import { Cursor, type Declarations, Unreadable } from './declarations.ts';

export type Scalar = 'u32' | 'i32' | 'f32';

/** Sizes, strides and offsets are bytes. */
export type WgslType = { readonly text: string; readonly align: number; readonly size: number } & (
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  | { readonly kind: 'array'; readonly element: WgslType; readonly count: number; readonly stride: number }
  | { readonly kind: 'struct'; readonly members: readonly Member[] }
);

export interface Member {
  readonly name: string;
  readonly type: WgslType;
  readonly offset: number;
}

const roundUp = (x: number, to: number): number => Math.ceil(x / to) * to;

const SHORT: Readonly<Record<string, Scalar>> = { u: 'u32', i: 'i32', f: 'f32' };
const VECTOR = /^vec([234])([uif]?)$/;
const MATRIX = /^mat([234])x([234])(f?)$/;

const scalarType = (scalar: Scalar): WgslType => ({ kind: 'scalar', text: scalar, scalar, align: 4, size: 4 });

/** A vector is an array without gaps, but for its alignment. */
function vectorType(count: number, element: WgslType): WgslType {
  const text = `vec${count}<${element.text}>`;
  return { kind: 'array', text, element, count, stride: 4, align: count === 2 ? 8 : 16, size: 4 * count };
}

function matrixType(columns: number, rows: number, scalar: WgslType): WgslType {
  const element = vectorType(rows, scalar);
  const stride = roundUp(element.size, element.align);
  const text = `mat${columns}x${rows}<${scalar.text}>`;
  return { kind: 'array', text, element, count: columns, stride, align: element.align, size: columns * stride };
}

function arrayType(element: WgslType, count: number): WgslType {
  const stride = roundUp(element.size, element.align);
  const text = `array<${element.text}, ${count}>`;
  if (count < 1) throw new Unreadable(`${text} has no elements`);
  if (stride % 16 !== 0) {
    throw new Unreadable(
      `${text} has elements ${stride} bytes apart; in a uniform it must be a multiple of 16, as in array<vec4<u32>, …>`,
    );
  }
  return { kind: 'array', text, element, count, stride, align: element.align, size: count * stride };
}

/** Arrays and structs begin at multiples of 16 in a uniform. Vectors and matrices need not. */
const isAggregate = (type: WgslType): boolean => type.kind === 'struct' || type.text.startsWith('array');

/** Reads types by what a source declares. */
export class Types {
  private readonly structs = new Map<string, WgslType>();
  private readonly reading = new Set<string>();

  constructor(private readonly declared: Declarations) {}

  /** @throws {Unreadable} for what cannot lie in a uniform, or is not known here. */
  read(cursor: Cursor): WgslType {
    const name = cursor.take();
    if (name === 'u32' || name === 'i32' || name === 'f32') return scalarType(name);
    const vector = VECTOR.exec(name);
    if (vector) return vectorType(Number(vector[1]), this.scalar(cursor, vector[2]));
    const matrix = MATRIX.exec(name);
    if (matrix) return matrixType(Number(matrix[1]), Number(matrix[2]), this.scalar(cursor, matrix[3]));
    if (name === 'array') return this.array(cursor);
    if (this.reading.has(name)) throw new Unreadable(`the type ${name} contains itself`);
    this.reading.add(name);
    const type = this.named(name);
    this.reading.delete(name);
    return type;
  }

  private named(name: string): WgslType {
    const alias = this.declared.aliases.get(name);
    if (alias) return this.read(new Cursor(alias));
    const before = this.structs.get(name);
    if (before) return before;
    const body = this.declared.structs.get(name);
    if (!body)
      throw new Unreadable(
        `parameters cannot have the type ${name}: there are u32, i32, f32, vectors, matrices, arrays and structs`,
      );
    const type = this.struct(name, new Cursor(body));
    this.structs.set(name, type);
    return type;
  }

  /** What a vector or a matrix is of, by the letter at its end or between angle brackets. */
  private scalar(cursor: Cursor, letter = ''): WgslType {
    const short = SHORT[letter];
    if (short) return scalarType(short);
    cursor.expect('<');
    const type = this.read(cursor);
    cursor.skip(',');
    cursor.expect('>');
    if (type.kind !== 'scalar') throw new Unreadable(`vectors and matrices are of numbers, not of ${type.text}`);
    return type;
  }

  private array(cursor: Cursor): WgslType {
    cursor.expect('<');
    const element = this.read(cursor);
    if (!cursor.skip(',')) throw new Unreadable(`array<${element.text}> needs a size: parameters have a fixed one`);
    const count = this.declared.number(cursor);
    cursor.skip(',');
    cursor.expect('>');
    return arrayType(element, count);
  }

  private struct(name: string, cursor: Cursor): WgslType {
    const members: Member[] = [];
    let align = 1;
    let end = 0;
    while (cursor.next !== '') {
      const asked = this.attributes(cursor);
      const member = cursor.take();
      cursor.expect(':');
      const type = this.read(cursor);
      cursor.skip(',');
      const own = asked.align ?? type.align;
      const offset = roundUp(end, own);
      const before = members.at(-1);
      // WGSL specification, 14.4.4: layout constraints of the uniform address space.
      const least = before?.type.kind === 'struct' ? before.offset + roundUp(before.type.size, 16) : 0;
      if ((isAggregate(type) && offset % 16 !== 0) || offset < least) {
        throw new Unreadable(
          `${name}.${member} would begin at byte ${offset}; in a uniform it needs @align(16) before it`,
        );
      }
      members.push({ name: member, type, offset });
      align = Math.max(align, own);
      end = offset + (asked.size ?? type.size);
    }
    return { kind: 'struct', text: name, members, align, size: roundUp(end, align) };
  }

  private attributes(cursor: Cursor): { align?: number; size?: number } {
    const found: Record<string, number> = {};
    while (cursor.skip('@')) {
      const name = cursor.take();
      cursor.expect('(');
      found[name] = this.declared.number(cursor);
      cursor.skip(',');
      cursor.expect(')');
    }
    return found;
  }
}
