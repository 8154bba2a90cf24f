import { choiceSetting } from "../base/settings.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { valueLoss } from "../losses/value.js";
import { nStepAdvantagesInto, softTemporalDifferencesInto, valueTargetsInto } from "../math/returns.js";
import { stateValues } from "../math/units.js";
import { add, mul } from "../tensor/operations.js";
import { onPolicyAlgorithm, onPolicySettings } from "./on-policy.js";

/**
 * Advantage actor-critic, synchronous (§3.6, §6.1): ascend log π(a) Δ − τ KL, and fit V to V̂ = V + Δ.
 *
 * `soft-q-learning.ts` is the same file with other targets and another loss: the difference is the theorem.
 */
export const a2c = onPolicyAlgorithm({
  name: "a2c",
  title: "A2C",
  about: "policy gradient with n-step advantages",
  settings: {
    ...onPolicySettings,
    entropyBonus: choiceSetting(["proper", "naive"], {
      about: "the bonus inside the returns (proper) or at the visited state alone (naive)",
      default: "proper",
      source: "§3.6",
    }),
  },

  bonusInReturns: ({ entropyBonus }) => entropyBonus === "proper",

  targets(rollout, { tau, gamma, horizon, entropyBonus }, { delta, advantages, targets }) {
    softTemporalDifferencesInto(rollout, entropyBonus === "proper" ? tau : 0, gamma, delta);
    nStepAdvantagesInto(rollout, delta, gamma, horizon, advantages);
    valueTargetsInto(rollout.values, advantages, stateValues(targets));
  },

  loss({ v, logPi, logPrior, actions, advantages, targets, tau, valueCoefficient }) {
    const policyLoss = policyGradientLoss({ logPi, logPrior, actions, advantages, tau });
    const fit = valueLoss({ v, targets: stateValues(targets) });
    return { loss: add(policyLoss, mul(valueCoefficient, fit)), figures: { policyLoss, valueLoss: fit } };
  },
});
