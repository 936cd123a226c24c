/**
 * A method of one's own: replay in which images keep the direction of their features, the less-forget constraint of LUCIR
 * (Hou et al. 2019, Learning a Unified Classifier Incrementally via Rebalancing, eq. 6); then the classifier alone goes on
 * learning, on as many images of new classes as of old ones.
 */
import { defineMethod, numberSetting, wholeSetting } from '../../src/entries/continual.ts';
import { cosineSimilarity, crossEntropy } from '../../src/index.ts';

const settings = {
  directionWeight: numberSetting(5, { least: 0 }, 'weight of the direction, times √(old classes / new classes)'),
  balancedEpochs: wholeSetting(5, 1, 'epochs in which the classifier alone learns on balanced data'),
};

export const lessForget = defineMethod({
  name: 'less-forget',
  summary: 'replay + features that keep their direction, and a balanced classifier',
  settings,
  keeps: 'exemplars',
  *learn({ settings: { directionWeight, balancedEpochs }, model, fresh, exemplars, labels, oldClasses, newClasses }) {
    const weight = directionWeight * Math.sqrt(oldClasses / (newClasses || oldClasses));
    yield {
      loss({ logits, targets, outputs, oldOutputs }) {
        const loss = crossEntropy(logits, targets);
        return oldOutputs
          ? loss.add(cosineSimilarity(outputs.features, oldOutputs.features).mean().sub(1).mul(-weight))
          : loss;
      },
    };
    if (exemplars.length === 0) return;
    const room = Array<number>(oldClasses + newClasses).fill(Math.ceil(exemplars.length / oldClasses));
    const first = fresh.filter((image) => room[labels[image]!]!-- > 0);
    yield {
      name: 'balance',
      images: [...exemplars, ...first],
      parameters: model.fc,
      recipe: { epochs: balancedEpochs, lr: 0.01 },
      loss: ({ logits, targets }) => crossEntropy(logits, targets),
    };
  },
});
