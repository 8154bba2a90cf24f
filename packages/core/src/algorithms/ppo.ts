import { klToPrior } from "../losses/boltzmann.js";
import {
  advantageScale,
  clippedShare,
  clippedSurrogateLoss,
  clippedValueLoss,
  klFromOld,
  normalisedAdvantages,
  penalisedSurrogateLoss,
  probabilityRatio,
} from "../losses/ppo.js";
import { valueLoss } from "../losses/value.js";
import { valueTargetsInto } from "../math/returns.js";
import { stateValues } from "../math/units.js";
import { add, div, mean, mul } from "../tensor/operations.js";
import { onPolicyAlgorithm } from "./on-policy.js";
import { ppoDefaults, ppoEffects, ppoSettings, requirePpoSettings } from "./ppo-settings.js";

/**
 * Proximal policy optimisation (Schulman et al. 2017): A2C's rollouts, with several epochs of minibatches on each, and a
 * surrogate that keeps π_θ near the policy π_old that collected. The penalised surrogate is the soft policy gradient with
 * the reference π̄ = π_old (docs/algorithms.md); the clip is its cheap bound.
 *
 * "Core n" is detail n of the 13 core details of Huang et al. (2022), "The 37 Implementation Details of Proximal Policy
 * Optimization", as in CleanRL's ppo.py. Parallel environments (core 1), the orthogonal initialisation (core 2) and
 * separate bodies (core 13) are those of every on-policy algorithm.
 */
export const ppo = onPolicyAlgorithm({
  name: "ppo",
  title: "PPO",
  about: "policy gradient with a clipped ratio, in several epochs of minibatches",
  settings: ppoSettings,
  defaults: ppoDefaults,
  effects: ppoEffects,
  // Core 6: each epoch passes over all samples, in minibatches drawn without replacement.
  hasMinibatches: true,
  check: requirePpoSettings,
  bonusInReturns: ({ entropyBonus }) => entropyBonus === "proper",

  // Core 5: Δ are generalised advantage estimates, and V̂ = V + Δ.
  targets(rollout, advantages, _settings, targets) {
    valueTargetsInto(rollout.values, advantages, stateValues(targets));
  },

  loss(terms) {
    const { v, values, logPi, logPrior, clipRange, tau } = terms;
    const isProper = terms.entropyBonus === "proper";

    // Core 7: the advantages are normalised by minibatch. τ of the proper bonus is in their former unit, as within Δ.
    const scale = terms.normaliseAdvantages ? advantageScale(terms.advantages) : 1;
    const advantages = terms.normaliseAdvantages ? normalisedAdvantages(terms.advantages) : terms.advantages;
    const weight = isProper ? div(tau, scale) : tau;

    // Core 8: the clipped surrogate objective.
    const change = { ...terms, advantages };
    const surrogate =
      terms.surrogate === "clipped" ? clippedSurrogateLoss(change) : penalisedSurrogateLoss(change);

    // Core 9: the clipped value loss.
    const targets = stateValues(terms.targets);
    const valueError = terms.clipValues
      ? clippedValueLoss({ v, values, targets, clipRange })
      : valueLoss({ v, targets });

    // Core 10: one loss of the surrogate, the bonus and the value error.
    const policyLoss = add(surrogate, mul(weight, mean(klToPrior(logPi, logPrior))));
    const loss = add(policyLoss, mul(terms.valueCoefficient, valueError));

    // Core 12: what to watch. CleanRL estimates the KL from the taken actions.
    const clipped =
      terms.surrogate === "clipped" ? { clippedShare: clippedShare(probabilityRatio(terms), clipRange) } : {};
    return { loss, figures: { policyLoss, valueLoss: valueError, klFromOld: klFromOld(terms), ...clipped } };
  },

  stopsAfter: ({ klFromOld }, { targetKl }) => targetKl > 0 && klFromOld > targetKl,
});
