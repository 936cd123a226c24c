import { ProxyClassifier } from '../../nn/proxy-classifier.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { balancedImages } from '../balanced.ts';
import { type Batch, defineMethod, type Task } from '../method.ts';
import { podFlatLoss, podSpatialLoss } from '../rules/pod.ts';
import { proxyNCALoss } from '../rules/proxy-nca.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { type CosineNet, cosineNet } from './cosine-net.ts';

const settings = {
  proxies: wholeSetting(10, 1, 'proxies a class'),
  margin: numberSetting(0.6, { least: 0 }, "margin taken from the right class's score"),
  podFlat: numberSetting(1, { least: 0 }, 'weight of what is kept of the features, × √(classes / new classes)', 'λ'),
  podSpatial: numberSetting(3, { least: 0 }, 'weight of what is kept of the stage maps, × the same', 'λ'),
  balancedEpochs: wholeSetting(20, 0, 'epochs on as many images of every class, after the task'),
  balancedLr: numberSetting(0.005, { above: 0 }, 'learning rate at the start of these', 'rate'),
};

type Model = CosineNet<ProxyClassifier>;

/** NCA of the proxies, and what is kept of features and stage maps, heavier the fewer classes are new. */
function lossOf(task: Task<typeof settings, Model>) {
  const { model, newClasses, oldClasses } = task;
  const { margin, podFlat, podSpatial } = task.settings;
  const growth = newClasses > 0 ? Math.sqrt((oldClasses + newClasses) / newClasses) : 1;
  return ({ outputs, oldOutputs, targets }: Batch<Model>): Tensor => {
    const nca = proxyNCALoss(outputs.cosines, targets, {
      scale: model.classifier.scale,
      margin,
      detachMargin: true,
    });
    if (!oldOutputs) return nca;
    return nca
      .add(podFlatLoss(outputs.features, oldOutputs.features).mul(podFlat * growth))
      .add(podSpatialLoss(outputs.stages, oldOutputs.stages).mul(podSpatial * growth));
  };
}

/** NCA + POD-flat + POD-spatial, then a few epochs on as many images of every class with the old proxies held still. */
export const podnet = defineMethod({
  name: 'podnet',
  summary: 'proxies, and pooled outputs distillation of features and stage maps',
  source: 'Douillard et al. 2020, PODNet: Pooled Outputs Distillation for Small-Tasks Incremental Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  model: (context) =>
    cosineNet(context, (featureSize, random) => {
      const { proxies } = context.settings;
      return new ProxyClassifier(context.engine, featureSize, context.classes, { proxies, random });
    }),
  async *learn(task) {
    const { model, settings } = task;
    const loss = lossOf(task);
    yield { loss };
    if (!task.old || settings.balancedEpochs === 0) return;
    model.classifier.freezeOld();
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
      loss,
    };
    model.classifier.freezeOld(false);
  },
});
