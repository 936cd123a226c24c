/** Runs ONNX files by ONNX Runtime, which knows nothing of what wrote them. */
import * as ort from 'onnxruntime-web';
import * as assert from 'uvu/assert';
import type { ContinualLearner } from '../../src/entries/continual.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** Numbers as they go in or come out. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | readonly string[];
}

const typeOf = (data: OnnxTensor['data']): 'int32' | 'uint8' | 'float32' =>
  data instanceof Int32Array ? 'int32' : data instanceof Uint8Array ? 'uint8' : 'float32';

/** What the file's graph makes of an input, by the names of its outputs. */
export async function runOnnx(file: Uint8Array, input: OnnxTensor): Promise<Record<string, OnnxTensor>> {
  const session = await ort.InferenceSession.create(file);
  try {
    const [name = ''] = session.inputNames;
    const type = typeOf(input.data);
    const results = await session.run({ [name]: new ort.Tensor(type, input.data as Float32Array, [...input.shape]) });
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [name, { shape: dims, data: data as Float32Array }]),
    );
  } finally {
    await session.release();
  }
}

/** Fails unless a learner's exported graph and the learner say the same of made-up images. */
export async function sameAnswers(file: Uint8Array, learner: ContinualLearner): Promise<void> {
  const { height, width, channels } = await learner.answering('test', async ({ format }) => format);
  const count = 7;
  const data = Uint8Array.from({ length: count * height * width * channels }, (_, i) => (i * i * 31 + i * 7) % 256);
  const { scores, probabilities, labels } = await runOnnx(file, { data, shape: [count, height, width, channels] });
  const { classes } = learner;
  assert.equal([scores?.shape, labels?.shape], [[count, classes.length], [count]]);
  const answers = await learner.predictMany({ data, count, height, width, channels });
  answers.forEach((answer, image) => {
    assert.is(labels?.data[image], answer[0]?.label);
    for (const { label, probability } of answer) {
      const theirs = probabilities?.data[image * classes.length + classes.indexOf(label)] as number;
      assert.ok(Math.abs(theirs - probability) < 1e-5, `${label}: ${theirs}, not ${probability}`);
    }
  });
}
