/** Sums of products by Einstein's convention. */
import { ArgumentError, ShapeError } from '../errors.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { matmul } from './matmul/matmul.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { slice, transpose } from './strided.ts';

/** A tensor and the letters of its axes, each once. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

const refuse = (equation: string, message: string): never => {
  throw new ArgumentError({
    where: 'einsum',
    message: `'${equation}': ${message}`,
    fix: "Write a letter an axis, for example 'bij,bjk->bik'; '...' stands for any axes in front or between.",
  });
};

/** The equation with a label for each axis; '...' becomes as many of its own, the last of them '.0'. */
function parse(equation: string, operands: readonly Tensor[]): { inputs: string[][]; output: string[] } {
  const [left = '', right, ...more] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  if (more.length > 0) refuse(equation, "'->' is there more than once.");
  for (const term of [...terms, right ?? '']) {
    if (!/^[A-Za-z]*(\.{3}[A-Za-z]*)?$/.test(term)) refuse(equation, `'${term}' is not a list of letters.`);
  }
  if (terms.length !== operands.length) {
    refuse(equation, `${terms.length} operands are named, ${operands.length} were given.`);
  }
  const labelsOf = (term: string, dots: number): string[] => {
    const [before = '', behind] = term.split('...');
    if (behind === undefined) return [...before];
    return [...before, ...Array.from({ length: dots }, (_, i) => `.${dots - 1 - i}`), ...behind];
  };
  let most = 0;
  const inputs = terms.map((term, i) => {
    const { rank, shape } = operands[i] as Tensor;
    const letters = term.replace('...', '').length;
    const dots = term.includes('...') ? rank - letters : 0;
    if (dots < 0 || letters + dots !== rank) {
      refuse(equation, `'${term}' names ${letters} axes; its operand has the shape ${show(shape)}.`);
    }
    most = Math.max(most, dots);
    return labelsOf(term, dots);
  });
  const all = inputs.flat();
  const once = [...new Set(all)].filter(
    (label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label),
  );
  // NumPy's rule: letters that appear once, in alphabetical order, behind the axes of the dots.
  const output = labelsOf(right ?? `...${once.sort().join('')}`, most);
  const strange = output.find((label, i) => !all.includes(label) || output.indexOf(label) !== i);
  if (strange) refuse(equation, `'${strange}' of the result must be there once, and in an operand.`);
  return { inputs, output };
}

/** Letters that stand twice in an operand: its diagonal along these axes. */
function diagonal({ tensor, labels }: Labelled): Labelled {
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice === undefined) return { tensor, labels };
  const [i, j] = [labels.indexOf(twice), labels.lastIndexOf(twice)] as [number, number];
  const others = labels.flatMap((_, axis) => (axis === i || axis === j ? [] : [axis]));
  const moved = transpose(tensor, [...others, i, j]);
  const n = tensor.shape[i] as number;
  const flat = reshape(moved, [...others.map((axis) => tensor.shape[axis] as number), n * n]);
  const picked = slice(flat, [...others.map(() => null), [null, null, n + 1]]);
  return diagonal({ tensor: picked, labels: [...others.map((axis) => labels[axis] as string), twice] });
}

/** Sums over the axes whose letters are not wanted; of f16 in f32, as every sum. */
function only({ tensor, labels }: Labelled, isWanted: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (isWanted(label) ? [] : [axis]));
  return axes.length === 0 ? { tensor, labels } : { tensor: sum(tensor, axes), labels: labels.filter(isWanted) };
}

/** With its axes in this order, those next to each other in one. */
function grouped({ tensor, labels }: Labelled, groups: readonly (readonly string[])[]): Tensor {
  const order = groups.flat().map((label) => labels.indexOf(label));
  const moved = order.every((axis, i) => axis === i) ? tensor : transpose(tensor, order);
  const sizes = groups.map((group) => sizeOf(group.map((label) => tensor.shape[labels.indexOf(label)] as number)));
  return reshape(moved, sizes);
}

/** Products of two as one batch of matrix products, summed over the letters that are not wanted. */
function contract(a: Labelled, b: Labelled, isWanted: (label: string) => boolean): Labelled {
  // Sums of f16 are f32, and a product takes one dtype.
  const factor = (of: Labelled, other: Labelled): Labelled => {
    const { tensor, labels } = only(of, (label) => other.labels.includes(label) || isWanted(label));
    return { tensor: tensor.cast(of.tensor.dtype), labels };
  };
  const [left, right] = [factor(a, b), factor(b, a)];
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter(isWanted);
  const summed = shared.filter((label) => !isWanted(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const product = matmul(grouped(left, [batch, rows, summed]), grouped(right, [batch, summed, columns]));
  const sizeOfLabel = (label: string) => {
    const { tensor, labels } = left.labels.includes(label) ? left : right;
    return tensor.shape[labels.indexOf(label)] as number;
  };
  const labels = [...batch, ...rows, ...columns];
  return { tensor: reshape(product, labels.map(sizeOfLabel)), labels };
}

/**
 * Sums of products of tensors by Einstein's convention, as NumPy's and PyTorch's `einsum`: a letter an axis, the same letter for axes that
 * run together; what the result does not name is summed. A letter twice in an operand is its diagonal, `...` are axes that all
 * have in common; without `->` the result has the letters that appear once, in alphabetical order. Two operands at a time, from left to right, each
 * pair as matrix products. Products of f16 are f16; sums over axes of a single operand are f32.
 * @example einsum('bhqd,bhkd->bhqk', query, key)
 * @throws {ArgumentError} for an equation that cannot be read, or that names other axes than the operands have.
 * @throws {ShapeError} when axes of one letter differ in length.
 * @throws {DTypeError} when several operands are not all f32 or all f16.
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  commonEngine('einsum', operands);
  const { inputs, output } = parse(equation, operands);
  const sizes = new Map<string, number>();
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const n = (operands[i] as Tensor).shape[axis] as number;
      if ((sizes.get(label) ?? n) !== n) {
        throw new ShapeError({
          where: 'einsum',
          message: `'${equation}': axes of '${label}' have the lengths ${sizes.get(label)} and ${n}; shapes ${operands.map((t) => show(t.shape)).join(', ')}.`,
        });
      }
      sizes.set(label, n);
    });
  });
  const all = inputs.map((labels, i) => diagonal({ tensor: operands[i] as Tensor, labels }));
  const [first, ...rest] = all as [Labelled, ...Labelled[]];
  const product = rest.reduce((done, next, i) => {
    const later = rest.slice(i + 1).flatMap(({ labels }) => labels);
    return contract(done, next, (label) => output.includes(label) || later.includes(label));
  }, first);
  const { tensor, labels } = only(product, (label) => output.includes(label));
  const order = output.map((label) => labels.indexOf(label));
  return order.every((axis, i) => axis === i) ? tensor : transpose(tensor, order);
}
