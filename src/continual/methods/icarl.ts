import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { meanScores } from '../rules/nearest-mean.ts';
import { numberSetting } from '../setting.ts';
import { named } from '../setting-name.ts';
import { classification, withDistillation } from './classification.ts';

const settings = {
  ...distillSettings('whole'),
  kdWeight: numberSetting(1, { least: 0 }, 'weight of the distillation beside the cross entropy', 'λ'),
};

/** CE + λ·KD on new images and exemplars; an image is of the class whose exemplars' mean feature is nearest. */
export const icarl = defineMethod({
  name: 'icarl',
  summary: 'replay + distillation, prediction by the nearest mean of exemplars',
  source: 'Rebuffi et al. 2017, iCaRL: Incremental Classifier and Representation Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  check(settings, { taskSizes, training: { selection, memoryPerClass } }) {
    const notices = checkDistill(settings, taskSizes);
    if (selection !== 'reservoir' || memoryPerClass > 0) return notices;
    return [
      ...(notices ?? []),
      'A reservoir shared by all classes may leave a class without exemplars; without their mean it is never predicted. ' +
        `With ${named('memoryPerClass')} each class has a reservoir of its own.`,
    ];
  },
  async *learn(task) {
    const ce = classification(task);
    const kd = await distillTerm(task, task.settings, task.settings.kdWeight);
    yield withDistillation(ce, kd);
  },
  predictor({ model, exemplarMeans }) {
    const means = exemplarMeans();
    return { scores: (images) => meanScores(model.features(images), means), dispose: () => means.dispose() };
  },
});
