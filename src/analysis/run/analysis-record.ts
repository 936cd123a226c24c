/** What was measured of a run, as `analysis.json` holds it: each part with the settings that it was measured with. */
import * as v from 'valibot';
import { DataError } from '../../errors.ts';

const finite = v.pipe(v.number(), v.finite());
/** `null` where it is not finite, which JSON cannot hold. */
const orNone = v.nullable(finite);
const count = v.pipe(finite, v.integer(), v.minValue(0));
const list = <T extends v.GenericSchema>(of: T) => v.pipe(v.array(of), v.minLength(1));

const hessian = v.object({
  /** The largest, the largest one first. */
  eigenvalues: list(finite),
  trace: finite,
  /** The standard error of its estimate. */
  traceError: finite,
  /** Rows of the matrix. */
  parameters: count,
  /** Whether products with it were exact; by differences otherwise, which is rough where images are few. */
  exact: v.boolean(),
});

const sharpness = v.object({
  /** The mean cross entropy that it rises from. */
  loss: finite,
  average: list(v.object({ rho: finite, rise: orNone, error: orNone })),
  worst: list(v.object({ norm: v.picklist(['max', 'l2']), rho: finite, rise: orNone })),
});

const classifier = v.object({
  /** A block a task; `null` for a classifier by cosines. */
  blocks: v.nullable(list(v.object({ norm: finite, bias: v.nullable(finite) }))),
  /** Expected calibration error on each task's test images, and on all of them; points of percent. */
  calibration: v.object({ tasks: list(finite), all: finite }),
});

const drift = v.object({
  /** Tasks after which there was a model. */
  stages: list(count),
  /** Of the network, from the first maps to the features. */
  layers: list(v.string()),
  /** By layer: the similarity of each stage's model with each other's. */
  similarity: list(list(list(finite))),
});

const stability = v.object({
  /** Tasks after which the extractor was frozen; 0 for the untrained network. */
  stages: list(count),
  /** Accuracy in percent of a linear classifier on each of them, on all test images of the tasks learnt. */
  accuracy: list(finite),
  /** The same on each task's test images: a row a stage. */
  blocks: list(list(finite)),
});

const landscape = v.object({
  /** From the middle to each side, in lengths of the model's own filters. */
  extent: finite,
  /** Rows of a square. */
  losses: list(list(orNone)),
});

/** What is measured of a run, by name, in the order in which it is told. */
export const ANALYSES = ['hessian', 'sharpness', 'classifier', 'drift', 'stability', 'landscape'] as const;
/**
 * A measure by its name.
 * @useDeclaredType
 */
export type AnalysisName = (typeof ANALYSES)[number];
/** What each measure gives. */
export interface AnalysisResults {
  readonly hessian: v.InferOutput<typeof hessian>;
  readonly sharpness: v.InferOutput<typeof sharpness>;
  readonly classifier: v.InferOutput<typeof classifier>;
  readonly drift: v.InferOutput<typeof drift>;
  readonly stability: v.InferOutput<typeof stability>;
  readonly landscape: v.InferOutput<typeof landscape>;
}

const settings = v.record(v.string(), v.unknown());
const entry = <T extends v.GenericSchema>(result: T) => v.exactOptional(v.object({ settings, result }));

const recordSchema = v.object({
  /** The run's own name. */
  name: v.string(),
  method: v.string(),
  dataset: v.string(),
  config: v.record(v.string(), v.unknown()),
  /** Tasks learnt. */
  tasks: count,
  /** Tells this state of the run from its others. */
  state: v.string(),
  /** What it was measured on. */
  adapter: v.string(),
  parts: v.object({
    hessian: entry(hessian),
    sharpness: entry(sharpness),
    classifier: entry(classifier),
    drift: entry(drift),
    stability: entry(stability),
    landscape: entry(landscape),
  }),
});

/**
 * What was measured of a run.
 * @useDeclaredType
 */
export type AnalysisRecord = v.InferOutput<typeof recordSchema>;

/**
 * Reads a record from JSON. `where` names the file.
 * @throws {DataError} that names the first part that does not fit.
 */
export function parseAnalysis(json: string, where: string): AnalysisRecord {
  const fix = 'Delete it, and analyse the run again.';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new DataError({ where, message: 'this is not JSON: it may be cut off.', fix, cause });
  }
  const parsed = v.safeParse(recordSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new DataError({ where, message: `${v.getDotPath(issue) ?? 'it'} does not fit: ${issue.message}.`, fix });
}
