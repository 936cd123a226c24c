/**
 * PODNet: an old class's proxies stay where its task left them. Cosines learn slowly in the beginning, and where a task has a few
 * hundred steps the first ones are left where they say little: 22 and 27 % of the first ten glyphs, of which 0 % are known in the
 * end, where cross entropy of linear logits begins with 71 and 42 %. Later classes, on features that are there by then, are kept.
 */
import { ProxyClassifier } from '../../nn/proxy-classifier.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { balancedImages } from '../balanced.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { kMeans } from '../k-means.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { type Batch, defineMethod, type Phase, type Task } from '../method.ts';
import { podFlatLoss, podSpatialLoss } from '../rules/pod.ts';
import { proxyNCALoss } from '../rules/proxy-nca.ts';
import { numberSetting, switchSetting, wholeSetting } from '../setting.ts';
import { named } from '../setting-name.ts';
import { type CosineNet, cosineNet } from './cosine-net.ts';

const settings = {
  proxies: wholeSetting(10, 1, 'proxies a class'),
  // The authors' published runs do; PyCIL's, which the recipes are of, draw at random.
  imprint: switchSetting(false, 'new proxies begin as the k-means of the old features of their images, not at random'),
  margin: numberSetting(0.6, { least: 0 }, "margin taken from the right class's score"),
  podFlat: numberSetting(1, { least: 0 }, 'weight of what is kept of the features, × √(classes / new classes)', 'λ'),
  podSpatial: numberSetting(3, { least: 0 }, 'weight of what is kept of the stage maps, × the same', 'λ'),
  // No distillation of logits was published: without `distill` it is the two above.
  ...distillSettings(undefined),
  kdWeight: numberSetting(
    1,
    { least: 0 },
    'weight of --distill, in the place of both --pod weights, × √(classes / new classes)',
    'λ',
  ),
  balancedEpochs: wholeSetting(20, 0, 'epochs on as many images of every class, after the task'),
  balancedLr: numberSetting(0.005, { above: 0 }, 'learning rate at the start of these', 'rate'),
};

type Model = CosineNet<ProxyClassifier>;

/** The new classes' proxies from the modes of the old model's features of their images: weight imprinting, as the authors run it. */
async function imprint(task: Task<typeof settings, Model>, old: Model): Promise<void> {
  const { engine, fresh, labels, model, newClasses, oldClasses, settings } = task;
  const { featureSize } = model;
  const modes = new Float32Array(newClasses * settings.proxies * featureSize);
  for (let label = oldClasses; label < oldClasses + newClasses; label++) {
    const features = await task.features(
      old,
      fresh.filter((image) => labels[image] === label),
    );
    const centres = kMeans(features, featureSize, settings.proxies, task.random('proxies', label));
    modes.set(centres, (label - oldClasses) * centres.length);
  }
  engine.scope(() => model.classifier.imprint(engine.tensor(modes, [newClasses * settings.proxies, featureSize])));
}

/** NCA of the proxies, and what is kept of features and stage maps, or of logits: heavier the fewer classes are new. */
async function objective(task: Task<typeof settings, Model>): Promise<Pick<Phase<Model>, 'loss' | 'state'>> {
  const { model, newClasses, oldClasses } = task;
  const { margin, podFlat, podSpatial, distill, kdWeight } = task.settings;
  const growth = newClasses > 0 ? Math.sqrt((oldClasses + newClasses) / newClasses) : 1;
  const kd = distill ? await distillTerm(task, { ...task.settings, distill }, kdWeight * growth) : null;
  const loss = ({ outputs, oldOutputs, targets }: Batch<Model>): Tensor => {
    const nca = proxyNCALoss(outputs.cosines, targets, {
      scale: model.classifier.scale,
      margin,
      detachMargin: true,
    });
    if (!oldOutputs) return sumOfTerms({ nca });
    if (kd) return sumOfTerms({ nca, kd: kd.loss(outputs.logits, oldOutputs.logits) });
    return sumOfTerms({
      nca,
      features: podFlatLoss(outputs.features, oldOutputs.features).mul(podFlat * growth),
      maps: podSpatialLoss(outputs.stages, oldOutputs.stages).mul(podSpatial * growth),
    });
  };
  return { loss, state: kd?.state ?? {} };
}

/** NCA + POD-flat + POD-spatial, then a few epochs on as many images of every class, the old proxies held still in both. */
export const podnet = defineMethod({
  name: 'podnet',
  summary: 'proxies, and pooled outputs distillation of features and stage maps',
  source: 'Douillard et al. 2020, PODNet: Pooled Outputs Distillation for Small-Tasks Incremental Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  check({ distill, groups, sizes }, { taskSizes, training: { labelSmoothing } }) {
    const notices = distill ? (checkDistill({ distill, groups, sizes }, taskSizes) ?? []) : [];
    if (labelSmoothing === 0) return notices;
    return [
      ...notices,
      `The proxies' loss knows right and wrong classes alone: ${named('labelSmoothing')} changes nothing of it.`,
    ];
  },
  model: (context) =>
    cosineNet(
      context,
      (featureSize, random) => {
        const { proxies } = context.settings;
        return new ProxyClassifier(context.engine, featureSize, context.classes, { proxies, random });
      },
      { stages: context.settings.distill === undefined },
    ),
  async *learn(task) {
    const { model, settings } = task;
    const trained = await objective(task);
    if (task.old && task.newClasses > 0 && settings.imprint) await imprint(task, task.old);
    // Without new classes all are alike, those of the last task too.
    model.classifier.freezeOld(task.newClasses > 0);
    yield trained;
    if (task.old && settings.balancedEpochs > 0) {
      yield {
        name: 'balanced',
        images: await balancedImages(task, model),
        recipe: {
          epochs: settings.balancedEpochs,
          lr: settings.balancedLr,
          warmup: 0,
          milestones: [],
          schedule: 'cosine',
        },
        ...trained,
      };
    }
    model.classifier.freezeOld(false);
  },
});
