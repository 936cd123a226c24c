/** What a checkpoint holds beside the weights: its schema. */
import * as v from 'valibot';
import { POOL_KINDS } from '../distill/task-pool.ts';
import { configSchema } from './config.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const shape = v.tuple([count, count, count, count]);

export const stateSchema = v.object({
  /** A method of one's own stands under its own name. */
  config: v.strictObject({
    ...configSchema.entries,
    method: v.string(),
    align: v.boolean(),
    pool: v.picklist(POOL_KINDS),
  }),
  /** [images, height, width, channels] of both parts as configured; in files of older versions not said. */
  images: v.exactOptional(v.object({ train: shape, test: shape })),
  classOrder: v.array(count),
  /** Rows of accuracies, one for each task learnt. */
  matrix: v.pipe(v.array(v.array(v.number())), v.minLength(1)),
  /** Exemplars by class: indices into the training set as configured. */
  memory: v.array(v.tuple([count, v.array(count)])),
  /** The scale of the loss, of a run in f16. */
  scaler: v.exactOptional(
    v.object({ scale: v.pipe(v.number(), v.finite(), v.gtValue(0)), goodSteps: count, skippedSteps: count }),
  ),
});

/** What a checkpoint says besides the weights. */
export type CheckpointState = v.InferOutput<typeof stateSchema>;
