/** What is said of test images: all that is asked of a batch, in one pass and one read. */
import '../ops/methods.ts';
import { where } from '../ops/elementwise/elementwise.ts';
import { argmax, max } from '../ops/reduce.ts';
import { softmax } from '../ops/softmax.ts';
import { concat } from '../ops/strided.ts';
import { tensorFrom } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { largest } from './inference.ts';

/** Of each image; a class is its logit, −1 where some score is not a finite number. */
export interface Answers {
  /** The class of the largest score. */
  readonly predicted: Int32Array;
  /** That among the classes that came with the right one. */
  readonly withinTask: Int32Array;
  /** The probability that the prediction is given, from 0 to 1. */
  readonly confidences: Float32Array;
  /** By the model's logits; `null` unless heads are asked. */
  readonly classifier: Int32Array | null;
  /** By the nearest mean of exemplars; `null` where some class has none, too. */
  readonly nearestMean: Int32Array | null;
}

export interface Asked {
  /** Scores [n, classes] that the prediction goes by. */
  readonly scores: Tensor;
  /** The right logit of each row. */
  readonly labels: readonly number[];
  /** The task that each class came with. */
  readonly taskOf: readonly number[];
  /** Scores of the two heads. */
  readonly classifier: Tensor | null;
  readonly nearestMean: Tensor | null;
}

/** Below every score, and finite. */
const LOWEST = -3.4e38;

/** Scores [n, classes], the lowest where a class came with another task than the row's right one. */
function withinTask({ scores, labels, taskOf }: Asked): Tensor {
  const { engine } = scores;
  const tasks = tensorFrom(engine, Float32Array.from(taskOf), [1, taskOf.length]);
  const right = tensorFrom(
    engine,
    Float32Array.from(labels, (label) => taskOf[label] as number),
    [labels.length, 1],
  );
  return where(tasks.equal(right), scores, LOWEST);
}

/** A row for each image, to be read back for {@link answersOf}: f32 [n, 3 to 5]. Class numbers fit in f32. */
export function answerRows(asked: Asked): Tensor {
  const { scores, classifier, nearestMean } = asked;
  const heads = [classifier, nearestMean].filter((head) => head !== null);
  const columns = [largest(scores), argmax(withinTask(asked)), max(softmax(scores), 1), ...heads.map(largest)];
  return concat(
    columns.map((column) => column.cast('f32').reshape([asked.labels.length, 1])),
    1,
  );
}

/** @param rows as {@link answerRows} gives them, one batch after the other. @param asked which heads were. */
export function answersOf(
  rows: Float32Array,
  asked: { readonly classifier: boolean; readonly nearestMean: boolean },
): Answers {
  const width = 3 + Number(asked.classifier) + Number(asked.nearestMean);
  const column = (at: number) =>
    Float32Array.from({ length: rows.length / width }, (_, row) => rows[row * width + at]!);
  return {
    predicted: Int32Array.from(column(0)),
    withinTask: Int32Array.from(column(1)),
    confidences: column(2),
    classifier: asked.classifier ? Int32Array.from(column(3)) : null,
    nearestMean: asked.nearestMean ? Int32Array.from(column(width - 1)) : null,
  };
}
