/** What a model says of images: its method's predictor, made once and kept until the model changes. */
import type { Normalization } from '../data/dataset.ts';
import type { ImageBytes, ImageFormat } from '../data/image-bytes.ts';
import { softmax } from '../ops/softmax.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { largest, prototypesOf, readOf } from './inference.ts';
import type { ExemplarMemory } from './memory.ts';
import type { AnyMethod, IncrementalModel, Predictor } from './method.ts';
import { ownPredictor } from './method-checks.ts';
import { TaskImages } from './task-images.ts';

export interface PredictionsOptions {
  readonly engine: Engine;
  readonly method: AnyMethod;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly model: IncrementalModel;
  readonly format: ImageFormat & Normalization;
  readonly memory: ExemplarMemory;
}

export class Predictions {
  private predictor: Promise<Predictor> | null = null;
  /** The same, once it is made. */
  private ready: Predictor | null = null;
  /** Answers under way. */
  private uses = 0;
  /** What is done once there are none; set by {@link dispose}. */
  private last: (() => void) | null = null;

  constructor(private readonly options: PredictionsOptions) {}

  /** The largest score of each image: its logit; −1 where some score is not a finite number. */
  logits(images: ImageBytes): Promise<Int32Array> {
    return this.read(Int32Array, images, largest);
  }

  /** f32 [n, classes] row-major. */
  probabilities(images: ImageBytes): Promise<Float32Array> {
    return this.read(Float32Array, images, softmax);
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
    ready?.dispose?.();
    last();
  }

  /** What is made of the images' scores. */
  private read<T extends Float32Array | Int32Array>(
    Elements: new (length: number) => T,
    images: ImageBytes,
    of: (scores: Tensor) => Tensor,
  ): Promise<T> {
    return this.during(async () => {
      this.predictor ??= this.makePredictor();
      const predictor = await this.predictor;
      this.ready = predictor;
      const labels = new Int32Array(images.count).fill(-1);
      const uploaded = new TaskImages(this.options.engine, images, labels, this.options.format);
      try {
        const { model } = this.options;
        return await readOf(Elements, model, uploaded, [...labels.keys()], (x) => of(predictor.scores(x)));
      } finally {
        uploaded.dispose();
      }
    });
  }

  private async makePredictor(): Promise<Predictor> {
    const { engine, method, settings, model } = this.options;
    const own = await ownPredictor(method, { engine, model, settings, exemplarMeans: () => this.exemplarMeans() });
    return own ?? { scores: (x: Tensor) => model.forward(x) };
  }

  private exemplarMeans(): Tensor {
    const { engine, model, memory, format } = this.options;
    const labels = Int32Array.from(memory.exemplars, ({ label }) => label);
    if (labels.length === 0) return engine.keep(engine.zeros([model.classes, model.featureSize]));
    const uploaded = new TaskImages(engine, memory.images(format), labels, format);
    try {
      return prototypesOf(model, uploaded, [...labels.keys()], model.classes);
    } finally {
      uploaded.dispose();
    }
  }
}
