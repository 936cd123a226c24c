/**
 * A learner's network alone, for other programs: a safetensors file of its weights under PyTorch's names and in PyTorch's layouts,
 * with what its images and its logits mean in the metadata. Nothing is computed, and no device is needed.
 */
import { CheckpointError } from '../errors.ts';
import { type SafetensorsEntry, writeSafetensors } from '../nn/safetensors.ts';
import { entryOf } from '../nn/weights.ts';
import { readLearner, type StoredLearner } from './learner-state.ts';
import { publishedName } from './networks.ts';

/** Where methods keep a network beside what is theirs. */
const NETWORK = 'net.';

/** What a file says of its network. */
export interface NetworkFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Tensors in it. */
  readonly tensors: number;
  /** Values in them. */
  readonly values: number;
  /** What belongs to the method and not to a network of that name, and is left out. */
  readonly leftOut: readonly string[];
}

/** The network's own tensors; all there are where a method's model is no network with something beside it. */
function ofNetwork({ weights, state }: StoredLearner): { entries: [string, SafetensorsEntry][]; leftOut: string[] } {
  const names = [...weights.keys()];
  const isWrapped = names.some((name) => name.startsWith(NETWORK));
  // A method with another classifier has a network that nobody has published.
  const prefix = isWrapped ? NETWORK : '';
  const isPublished = weights.has(`${prefix}fc.weight`) && names.some((name) => name.startsWith(`${prefix}backbone.`));
  const nameOf = (name: string) => (isPublished ? publishedName(String(state.settings.model), name) : name);
  const entries: [string, SafetensorsEntry][] = [];
  const leftOut: string[] = [];
  for (const [name, entry] of weights) {
    if (!isWrapped) entries.push([nameOf(name), entryOf(entry)]);
    else if (name.startsWith(NETWORK)) entries.push([nameOf(name.slice(NETWORK.length)), entryOf(entry)]);
    else leftOut.push(name);
  }
  return { entries, leftOut };
}

/** Shortcuts of CIFAR ResNets have no weights that would tell them, and others put zeros on both sides of the channels. */
const shortcutOf = (model: string, entries: readonly [string, SafetensorsEntry][]): { shortcut?: string } =>
  /^resnet\d+$/.test(model) && entries.every(([name]) => !name.includes('downsample'))
    ? { shortcut: 'option A of He et al. 2016: every second row and column, zeros behind the channels' }
    : {};

/**
 * The network of a learner's file, or of a run's checkpoint, as a file that `load_state_dict` takes. Its metadata: `format` (`pt`),
 * `engram` (the version that learnt it), `model`, `method`, as JSON `classes` and `images` (height, width, channels, mean and std of
 * pixels in [0, 1]), and of CIFAR ResNets `shortcut`, in words.
 * @param where names the file in errors.
 * @throws {CheckpointError} when the bytes are damaged or no learner's, or it has learnt nothing yet.
 */
export function networkFile(bytes: Uint8Array, where: string): NetworkFile {
  const learner = readLearner(bytes, where);
  const { state } = learner;
  if (state.tasksDone === 0) {
    throw new CheckpointError({ where, message: 'this learner has learnt nothing yet.', fix: 'Learn a task first.' });
  }
  const { entries, leftOut } = ofNetwork(learner);
  const { version, method, classes, images, settings } = state;
  return {
    bytes: writeSafetensors(entries, {
      format: 'pt',
      engram: version,
      model: String(settings.model),
      method,
      classes: JSON.stringify(classes),
      images: JSON.stringify(images),
      ...shortcutOf(String(settings.model), entries),
    }),
    classes,
    tensors: entries.length,
    values: entries.reduce((total, [, { data }]) => total + data.length, 0),
    leftOut,
  };
}
