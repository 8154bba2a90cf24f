import { choiceSetting, integerSetting } from "../base/settings.js";
import { a2cStreamScales, softQStreamsLoss } from "../losses/soft-q.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { advantageStreamTargetsInto } from "../math/returns.js";
import { qValues } from "../math/units.js";
import { sub } from "../tensor/operations.js";
import { onPolicyAlgorithm, onPolicySettings } from "./on-policy.js";

/**
 * Online n-step soft Q-learning (§6.3): fit Q = V + τ log(π/π̄) to y = τ KL + V + Δ. No target network, ε or replay.
 *
 * a2c.ts and soft-q-learning.ts are one file with other targets and another loss: the difference is the theorem.
 */
export const softQLearning = onPolicyAlgorithm({
  name: "soft-q",
  title: "soft Q-learning",
  about: "online n-step soft Q-learning in the form Q = V + τ log π",
  settings: {
    ...onPolicySettings,
    epochs: integerSetting({
      about: "steps of the optimiser for each rollout: Q is fitted to its targets, which stay",
      low: 1,
      high: 1000,
      default: 1,
      source: "§6.3",
    }),
    gap: choiceSetting(["kept", "subtracted"], {
      about: "the gap to the policy gradient (§4): kept in the loss, or subtracted, which leaves A2C's step",
      default: "kept",
      source: "§6.3",
    }),
  },

  epochs: ({ epochs }) => epochs,

  targets(rollout, advantages, { tau }, targets) {
    advantageStreamTargetsInto(rollout.kl, tau, advantages, qValues(targets));
  },

  loss(terms) {
    const scales = a2cStreamScales(terms.tau, terms.valueCoefficient);
    const streams = { ...terms, targets: qValues(terms.targets), scales };
    const softQLoss = softQStreamsLoss(streams);
    const loss = terms.gap === "kept" ? softQLoss : sub(softQLoss, theoremGap(streams));
    return { loss, figures: { softQLoss } };
  },
});
