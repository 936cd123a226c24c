/** A compression in tables: losses by their accuracy, and what the two networks cost. */
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import { bestWeights, type LossResult, type WeightResult } from './compression-results.ts';
import { differenceText, markdownTable, meanText } from './statistics-text.ts';
import { tableOf } from './table.ts';

/** What a network takes. */
export interface NetworkCost {
  readonly name: string;
  readonly parameters: number;
  /** Of parameters and buffers. */
  readonly bytes: number;
  /** Of one image in inference: twice the multiply-adds of convolutions and classifier. */
  readonly flops: number;
  /** Measured in inference. */
  readonly imagesPerSecond: number;
}

/** What a compression came to. */
export interface CompressionReport {
  readonly losses: readonly LossResult[];
  /** What each loss chose its weight from; nothing where it was given. */
  readonly tried: readonly WeightResult[];
  readonly teacher: NetworkCost;
  readonly student: NetworkCost;
  /** Percent, by its logits, on the images that students are tested on. */
  readonly teacherAccuracy: number;
  readonly about: {
    readonly teacher: string;
    readonly data: string;
    readonly classes: number;
    /** Images. */
    readonly train: number;
    readonly test: number;
    /** Classes of each group; none where the dense loss was not run. */
    readonly groups: readonly number[];
    readonly adapter: string;
    readonly date: string;
    readonly settings: Readonly<Record<string, unknown>>;
  };
}

export interface CompressionTableOptions {
  /** As Markdown, instead of for the terminal. */
  readonly markdown?: boolean;
  /** Colour by ANSI codes; by default where the terminal has it. */
  readonly colour?: boolean;
}

export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { markdown = false, colour }: CompressionTableOptions,
): string {
  if (markdown) return markdownTable(head, rows);
  const colours = picocolors.createColors(colour ?? picocolors.isColorSupported);
  const table = tableOf(head.map(colours.bold), 'left');
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** 1 234 567 as `1.23 M`. */
export function short(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  return value.toFixed(0);
}

export const LOSS_HEAD = ['loss', 'λ', 'students', 'accuracy %', 'Δ kd', 'seconds'];

export const lossRows = ({ losses, teacherAccuracy }: CompressionReport): string[][] => [
  ...losses.map(({ loss, weight, accuracy, difference, seconds }) => [
    loss,
    weight === null ? '' : `${weight}`,
    String(accuracy.runs),
    meanText(accuracy),
    difference ? differenceText(difference) : '',
    seconds.toFixed(0),
  ]),
  ['teacher', '', '', teacherAccuracy.toFixed(1), '', ''],
];

/**
 * A line a loss: mean accuracy and standard deviation over its students; the mean difference to the usual distillation over pairs of
 * one seed, its standard error, and how many pairs are ahead and behind; the mean time of a training.
 */
export const lossTable = (report: CompressionReport, options: CompressionTableOptions = {}): string =>
  drawTable(LOSS_HEAD, lossRows(report), options);

/** Weights as columns; the one that was chosen has a mark. */
export function weightRows({ tried }: CompressionReport): { head: string[]; rows: string[][] } {
  const weights = [...new Set(tried.map(({ weight }) => weight))].sort((a, b) => a - b);
  const rows = [...bestWeights(tried)].map(([loss, best]) => [
    loss,
    ...weights.map((weight) => {
      const found = tried.find((one) => one.loss === loss && one.weight === weight);
      return found ? `${meanText(found.accuracy)}${weight === best ? ' ←' : ''}` : '';
    }),
  ]);
  return { head: ['accuracy %, held out', ...weights.map((weight) => `λ = ${weight}`)], rows };
}

/** A line a loss: mean accuracy at each weight on images held out of the training ones. Empty where none were tried. */
export function weightTable(report: CompressionReport, options: CompressionTableOptions = {}): string {
  if (report.tried.length === 0) return '';
  const { head, rows } = weightRows(report);
  return drawTable(head, rows, options);
}

export const NETWORK_HEAD = ['network', 'parameters', 'bytes', 'FLOP/image', 'images/s'];

export function networkRows({ teacher, student }: CompressionReport): string[][] {
  const rows = [teacher, student].map(({ name, parameters, bytes, flops, imagesPerSecond }) => [
    printable(name),
    short(parameters),
    short(bytes),
    short(flops),
    short(imagesPerSecond),
  ]);
  const ratio = (a: number, b: number) => `${(a / b).toPrecision(2)} ×`;
  return [
    ...rows,
    [
      'smaller, faster',
      ratio(teacher.parameters, student.parameters),
      ratio(teacher.bytes, student.bytes),
      ratio(teacher.flops, student.flops),
      ratio(student.imagesPerSecond, teacher.imagesPerSecond),
    ],
  ];
}

/** Teacher and student: what they hold, the arithmetic of an image, and what this adapter makes of it. */
export const networkTable = (report: CompressionReport, options: CompressionTableOptions = {}): string =>
  drawTable(NETWORK_HEAD, networkRows(report), options);
