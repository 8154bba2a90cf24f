import { choiceSetting } from "../base/settings.js";
import { a2cStreamScales, softQStreamsLoss } from "../losses/soft-q.js";
import { theoremGap } from "../losses/theorem-gap.js";
import { nStepAdvantagesInto, softQTargetsInto, softTemporalDifferencesInto } from "../math/returns.js";
import { qValues } from "../math/units.js";
import { sub } from "../tensor/operations.js";
import { onPolicyAlgorithm, onPolicySettings } from "./on-policy.js";

/**
 * Online n-step soft Q-learning (§6.3): fit Q = V + τ log(π/π̄) to y = τ KL + V + Δ, and act with π itself. No target
 * network, no ε, no replay.
 *
 * `a2c.ts` is the same file with other targets and another loss: the difference is the theorem.
 */
export const softQLearning = onPolicyAlgorithm({
  name: "soft-q",
  title: "soft Q-learning",
  about: "online n-step soft Q-learning in the form Q = V + τ log π",
  settings: {
    ...onPolicySettings,
    gap: choiceSetting(["kept", "subtracted"], {
      about:
        "whether the loss keeps the gap to the policy gradient, or has it subtracted, which leaves A2C's step",
      default: "kept",
      source: "§4",
    }),
  },

  targets(rollout, { tau, gamma, horizon }, { delta, advantages, targets }) {
    softTemporalDifferencesInto(rollout, tau, gamma, delta);
    nStepAdvantagesInto(rollout, delta, gamma, horizon, advantages);
    softQTargetsInto(rollout.kl, tau, rollout.values, advantages, qValues(targets));
  },

  loss({ v, logPi, logPrior, actions, targets, tau, valueCoefficient, gap }) {
    const scales = a2cStreamScales(tau, valueCoefficient);
    const terms = { v, logPi, logPrior, actions, targets: qValues(targets), tau, scales };
    const softQLoss = softQStreamsLoss(terms);
    const loss = gap === "subtracted" ? sub(softQLoss, theoremGap(terms)) : softQLoss;
    return { loss, figures: { softQLoss } };
  },
});
