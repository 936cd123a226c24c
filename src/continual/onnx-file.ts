/** A learner as an ONNX file: from the bytes of images to the names of their classes. */
import { version } from '../../package.json';
import { assemble } from '../nn/onnx/assemble.ts';
import { type Graph, TO_FIRST, type Value } from '../nn/onnx/graph.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ContinualLearner } from './learner.ts';
import type { Answering } from './learner-types.ts';

/** The name of the batch's dimension. */
const BATCH = 'batch';
const IMAGES = 'images';
const OUTPUTS = ['scores', 'probabilities', 'labels'] as const;
const [SCORES, PROBABILITIES, LABELS] = OUTPUTS;

/** One number a channel, for images that are channels first. */
const perChannel = (graph: Graph, name: string, values: readonly number[]): string =>
  graph.numbers({ name, shape: [values.length, 1, 1], data: Float32Array.from(values) });

/** Bytes as the network wants them: in [0, 1], then normalised by the mean and standard deviation of each channel. */
function normalised(graph: Graph, { mean, std }: Answering['format'], shape: Shape): Value {
  // Before the weights, which may be called as they are.
  for (const name of [IMAGES, ...OUTPUTS]) graph.unique(name);
  const floats = graph.call('Cast', [IMAGES], { to: 1 });
  const pixels = graph.call('Div', [graph.call('Transpose', [floats], { perm: TO_FIRST }), graph.scalar(255)]);
  const centred = graph.call('Sub', [pixels, perChannel(graph, 'mean', mean)]);
  return { shape, element: 'f32', first: graph.call('Div', [centred, perChannel(graph, 'std', std)]) };
}

/** Scores, probabilities, and the name of the most probable class. */
function answers(graph: Graph, value: Value, classes: readonly string[]) {
  graph.output(graph.last(value), SCORES);
  graph.call('Softmax', [SCORES], { axis: 1 }, PROBABILITIES);
  const best = graph.call('ArgMax', [SCORES], { axis: 1, keepdims: 0 });
  graph.call('Gather', [graph.words('classes', classes), best], { axis: 0 }, LABELS);
  const perClass = [BATCH, classes.length];
  return [
    { name: SCORES, element: 'f32', shape: perClass },
    { name: PROBABILITIES, element: 'f32', shape: perClass },
    { name: LABELS, element: 'string', shape: [BATCH] },
  ] as const;
}

/**
 * What a learner predicts by as an ONNX file (opset 17) that needs nothing beside it: `images`, bytes [batch, height, width, channels] as an image
 * decoder gives them, to `scores` and `probabilities` [batch, classes] and `labels` [batch], the names of the most probable classes. It
 * predicts as the learner's method does, by the nearest mean of exemplars where that is how. The metadata holds `classes` and `images` (size, mean and
 * std) as JSON, `model`, `method`, and `engram`, the version.
 * @throws {ArgumentError} before the first task is learnt, after `dispose`, and when a method of one's own calls what ONNX has no counterpart
 * for.
 * @example await writeFile('learner.onnx', await exportLearner(learner));
 */
export function exportLearner(learner: ContinualLearner): Promise<Uint8Array<ArrayBuffer>> {
  return learner.answering('exportLearner', ({ scores, model, format, classes }) => {
    const { height, width, channels } = format;
    const sample = [height, width, channels];
    const { name } = learner.method;
    return assemble({
      engine: learner.engine,
      modules: [...model.namedModules()],
      input: sample,
      version,
      forward: scores,
      before: (graph, shape) => ({
        port: { name: IMAGES, element: 'u8', shape: [BATCH, ...sample] },
        value: normalised(graph, format, shape),
      }),
      after: (graph, value) => answers(graph, value, classes),
      notes: {
        name: `${learner.training.model} learnt by ${name}`,
        description: `Images of ${height}×${width} pixels and ${channels} channels, as bytes, to one of ${classes.length} classes.`,
        metadata: {
          classes: JSON.stringify(classes),
          images: JSON.stringify(format),
          model: learner.training.model,
          method: name,
          engram: version,
        },
      },
    });
  });
}
