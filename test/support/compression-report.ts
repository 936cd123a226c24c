/** What a compression came to, as its page and tables take it. */
import { compareLosses, type StudentResult } from '../../src/report/compression-results.ts';
import type { CompressionReport } from '../../src/report/compression-tables.ts';

export const studentResult = (loss: StudentResult['loss'], seed: number, accuracy: number): StudentResult => ({
  run: `${loss}${seed}`,
  loss,
  seed,
  accuracy,
  seconds: 10 + seed,
  adapter: 'none',
  date: '2026-11-29T00:00:00.000Z',
  version: '0',
  config: {},
});

export const studentResults = [
  studentResult('scratch', 0, 40),
  studentResult('kd', 2, 56),
  studentResult('kd', 0, 50),
  studentResult('kd', 1, 52),
  studentResult('dense', 0, 53),
  studentResult('dense', 1, 53),
  studentResult('dense', 3, 90),
];

const cost = { parameters: 77_000, bytes: 310_000, flops: 18_300_000, imagesPerSecond: 178 };
/** A teacher of 77 000 parameters, and students by three losses. */
export const compressionReport = (losses = compareLosses(studentResults)): CompressionReport => ({
  losses,
  tried: [],
  teacher: { name: 'teacher <resnet8>', ...cost },
  student: { name: 'student', parameters: 5500, bytes: 22_000, flops: 1_200_000, imagesPerSecond: 2470 },
  teacherAccuracy: 94,
  about: {
    teacher: 'runs/<b>',
    data: 'glyphs',
    classes: 40,
    train: 2400,
    test: 2000,
    groups: [20, 20],
    adapter: 'none',
    date: '2026-11-29',
    settings: { epochs: 3 },
  },
});
