import { countWeight } from '../../distill/weighting.ts';
import { CosineLinear } from '../../nn/cosine-linear.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { defineMethod, type Task } from '../method.ts';
import { lessForgetLoss, marginRankingLoss } from '../rules/less-forget.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { classification } from './classification.ts';
import { type CosineNet, cosineNet } from './cosine-net.ts';

const settings = {
  lessForget: numberSetting(5, { least: 0 }, "weight of the features' old directions, × √(old / new classes)", 'λ'),
  ranking: numberSetting(1, { least: 0 }, 'weight of what keeps old images away from new classes', 'λ'),
  margin: numberSetting(0.5, { least: 0 }, "margin of an old image's own class over new ones, in cosines"),
  top: wholeSetting(2, 1, 'new classes that an old image is kept away from, the nearest ones'),
  cosineScale: numberSetting(1, { above: 0 }, 'scale of the cosines in the beginning; it is learnt', 'η'),
};

/** The new classes' weights from the old model's features of their images (Hou et al. 2019's imprinting). */
async function imprint(task: Task<typeof settings, CosineNet>, old: CosineNet): Promise<void> {
  const { engine, model, oldClasses, newClasses } = task;
  const means = task.hold(await task.prototypes(old));
  engine.scope(() => model.classifier.imprint(means.slice([[oldClasses, oldClasses + newClasses], null])));
  task.release(means).dispose();
}

/** CE of scaled cosines + λ·(1 − cos(f, f′)) + margin ranking of old images, the old classes' weights held still. */
export const lucir = defineMethod({
  name: 'lucir',
  summary: 'classification by cosines, features that keep their directions, a margin between old and new classes',
  source: 'Hou et al. 2019, Learning a Unified Classifier Incrementally via Rebalancing',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  model: (context) =>
    cosineNet(context, (featureSize, random) => {
      const { cosineScale: scale } = context.settings;
      return new CosineLinear(context.engine, featureSize, context.classes, { random, scale });
    }),
  async *learn(task) {
    const { model, old, oldClasses, newClasses } = task;
    const { lessForget, ranking, margin, top } = task.settings;
    const ce = classification(task);
    if (!old) {
      yield { loss: (batch) => ce(batch) };
      return;
    }
    const isGrown = newClasses > 0;
    const weight = countWeight(isGrown ? 'count' : 'fixed', oldClasses, newClasses, lessForget);
    if (isGrown) {
      await imprint(task, old);
      model.classifier.freezeOld();
    }
    yield {
      loss({ outputs, oldOutputs, targets }) {
        const own = ce({ logits: outputs.logits, targets });
        if (!oldOutputs) return own;
        const terms = { ce: own, features: lessForgetLoss(outputs.features, oldOutputs.features).mul(weight) };
        if (!isGrown) return sumOfTerms(terms);
        const margins = marginRankingLoss(outputs.cosines, targets, { oldClasses, margin, top }).mul(ranking);
        return sumOfTerms({ ...terms, margins });
      },
    };
    model.classifier.freezeOld(false);
  },
});
