import { choiceSetting } from "../base/settings.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { valueLoss } from "../losses/value.js";
import { valueTargetsInto } from "../math/returns.js";
import { stateValues } from "../math/units.js";
import { add, mul } from "../tensor/operations.js";
import { onPolicyAlgorithm } from "./on-policy.js";
import { onPolicySettings } from "./on-policy-settings.js";

/**
 * Advantage actor-critic, synchronous (§3.6, §6.1): ascend log π(a) Δ − τ KL, and fit V to V̂ = V + Δ.
 *
 * a2c.ts and soft-q-learning.ts are one file with other targets and another loss: the difference is the theorem.
 */
export const a2c = onPolicyAlgorithm({
  name: "a2c",
  title: "A2C",
  about: "policy gradient with n-step advantages",
  settings: {
    ...onPolicySettings,
    entropyBonus: choiceSetting(["proper", "naive"], {
      about: "the bonus inside the returns (proper, §3.6) or at the visited state alone (naive)",
      default: "proper",
      source: "§6.3",
    }),
  },
  bonusInReturns: ({ entropyBonus }) => entropyBonus === "proper",

  targets(rollout, advantages, _settings, targets) {
    valueTargetsInto(rollout.values, advantages, stateValues(targets));
  },

  loss(terms) {
    const policyLoss = policyGradientLoss(terms);
    const valueError = valueLoss({ v: terms.v, targets: stateValues(terms.targets) });
    const loss = add(policyLoss, mul(terms.valueCoefficient, valueError));
    return { loss, figures: { policyLoss, valueLoss: valueError } };
  },
});
