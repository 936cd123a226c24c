/** What a model says of images: its method's predictor, made once and kept until the model changes. */
import type { Normalization } from '../data/dataset.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import type { Images } from '../data/stored-images.ts';
import { softmax } from '../ops/softmax.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Answers, answerRows, answersOf } from './answers.ts';
import { prototypesOnDevice, readOf } from './inference.ts';
import type { ExemplarMemory } from './memory.ts';
import type { AnyMethod, IncrementalModel, Predictor } from './method.ts';
import { ownPredictor } from './method-checks.ts';
import { meanScores } from './rules/nearest-mean.ts';
import { TaskImages } from './task-images.ts';

export interface PredictionsOptions {
  readonly engine: Engine;
  readonly method: AnyMethod;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly model: IncrementalModel;
  readonly format: ImageFormat & Normalization;
  readonly memory: ExemplarMemory;
}

export interface AnswerOptions {
  /** The right logit of each image. */
  readonly labels: Int32Array;
  /** Classes that each task brought. */
  readonly taskSizes: readonly number[];
  /** Whether both heads are asked. */
  readonly heads: boolean;
}

export class Predictions {
  private predictor: Promise<Predictor> | null = null;
  /** Of exemplars, by class, once they are asked. */
  private means: Tensor | null = null;
  /** The same, once it is made. */
  private ready: Predictor | null = null;
  /** Answers under way. */
  private uses = 0;
  /** What is done once there are none; set by {@link dispose}. */
  private last: (() => void) | null = null;

  constructor(private readonly options: PredictionsOptions) {}

  /** What is said of images whose right classes are known. */
  answers(images: Images, { labels, taskSizes, heads }: AnswerOptions): Promise<Answers> {
    return this.during(async () => {
      const { method, model } = this.options;
      const taskOf = taskSizes.flatMap((size, task) => new Array<number>(size).fill(task));
      const means = heads ? this.meansOfAll() : null;
      const rows = await this.read(images, (x, predictor, batch) => {
        const outputs = heads ? model.outputs(x) : null;
        return answerRows({
          scores: outputs && !method.predictor ? outputs.logits : predictor.scores(x),
          labels: batch.map((image) => labels[image] as number),
          taskOf,
          classifier: outputs?.logits ?? null,
          nearestMean: outputs && means && meanScores(outputs.features, means),
        });
      });
      return answersOf(rows, { classifier: heads, nearestMean: means !== null });
    });
  }

  /** f32 [n, classes] row-major. */
  probabilities(images: Images): Promise<Float32Array> {
    return this.read(images, (x, predictor) => softmax(predictor.scores(x)));
  }

  /** Does something with what the model says: it stays as it is until that is done, whatever is learnt meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.uses++;
    try {
      return await work();
    } finally {
      this.uses--;
      this.endIfUnused();
    }
  }

  /**
   * Frees the predictor: at once, or when the last answer under way is given.
   * @param also what is to be done then, such as freeing the model.
   */
  dispose(also: () => void = () => {}): void {
    this.last = also;
    this.endIfUnused();
  }

  private endIfUnused(): void {
    const { last, uses, ready } = this;
    if (!last || uses > 0) return;
    this.last = null;
    this.ready = null;
    this.predictor = null;
    this.means?.dispose();
    this.means = null;
    ready?.dispose?.();
    last();
  }

  /** What is made of the images, row by row. */
  private read(
    images: Images,
    of: (x: Tensor, predictor: Predictor, batch: readonly number[]) => Tensor,
  ): Promise<Float32Array> {
    return this.during(async () => {
      const predictor = await this.asked();
      const { engine, model, format } = this.options;
      const labels = new Int32Array(images.count).fill(-1);
      const uploaded = new TaskImages(engine, images, labels, format);
      try {
        return await readOf(Float32Array, model, uploaded, [...labels.keys()], (x, batch) => of(x, predictor, batch));
      } finally {
        uploaded.dispose();
      }
    });
  }

  /** Does something with the scores [n, classes] that predictions go by, of normalised images [n, h, w, c]. */
  scoring<T>(use: (scores: (images: Tensor) => Tensor, model: IncrementalModel) => Promise<T>): Promise<T> {
    return this.during(async () => {
      const predictor = await this.asked();
      return use((images) => predictor.scores(images), this.options.model);
    });
  }

  /** The predictor, made when it is first asked for; when that fails, whoever asks next has it made anew. */
  private async asked(): Promise<Predictor> {
    this.predictor ??= this.makePredictor();
    const { predictor } = this;
    try {
      this.ready = await predictor;
      return this.ready;
    } catch (error) {
      if (this.predictor === predictor) this.predictor = null;
      throw error;
    }
  }

  private async makePredictor(): Promise<Predictor> {
    const { engine, method, settings, model } = this.options;
    const own = await ownPredictor(method, { engine, model, settings, exemplarMeans: () => this.exemplarMeans() });
    return own ?? { scores: (x: Tensor) => model.forward(x) };
  }

  /** Means of the exemplars of every class; none where one has no exemplars. */
  private meansOfAll(): Tensor | null {
    const { memory, model } = this.options;
    if (new Set(memory.exemplars.map(({ label }) => label)).size < model.classes) return null;
    this.means ??= this.exemplarMeans();
    return this.means;
  }

  private exemplarMeans(): Tensor {
    const { engine, model, memory, format } = this.options;
    const labels = Int32Array.from(memory.exemplars, ({ label }) => label);
    if (labels.length === 0) return engine.keep(engine.zeros([model.classes, model.featureSize]));
    const uploaded = new TaskImages(engine, memory.images(format), labels, format);
    try {
      return prototypesOnDevice(model, uploaded, model.classes);
    } finally {
      uploaded.dispose();
    }
  }
}
