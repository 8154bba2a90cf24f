import { choiceSetting } from "../base/settings.js";
import { a2cStreamScales, softQStreamsLoss } from "../losses/soft-q.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { advantageStreamTargetsInto } from "../math/returns.js";
import { qValues } from "../math/units.js";
import { sub } from "../tensor/operations.js";
import { onPolicyAlgorithm } from "./on-policy.js";
import { onPolicySettings } from "./on-policy-settings.js";

/**
 * Online n-step soft Q-learning (§6.3): fit Q = V + τ log(π/π̄) to y = τ KL + V + Δ. No target network, ε or replay.
 *
 * a2c.ts and soft-q-learning.ts are one file with other targets and another loss: the difference is the theorem.
 */
export const softQLearning = onPolicyAlgorithm({
  name: "soft-q",
  title: "soft Q-learning",
  about: "online n-step soft Q-learning in the form Q = V + τ log π",
  isRegression: true,
  settings: {
    ...onPolicySettings,
    gap: choiceSetting(["kept", "subtracted"], {
      about: "the gap to the policy gradient (§4): kept, or subtracted, which leaves A2C's step in one epoch",
      default: "kept",
      source: "§6.3",
    }),
  },

  targets(rollout, advantages, { tau }, targets) {
    advantageStreamTargetsInto(rollout.kl, tau, advantages, qValues(targets));
  },

  loss(terms) {
    const scales = a2cStreamScales(terms.tau, terms.valueCoefficient);
    const streams = { ...terms, targets: qValues(terms.targets), scales };
    const fit = softQStreamsLoss(streams);
    return { loss: terms.gap === "kept" ? fit : sub(fit, theoremGap(streams)), figures: { softQLoss: fit } };
  },
});
