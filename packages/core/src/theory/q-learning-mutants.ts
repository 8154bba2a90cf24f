import { bootstrapValue, munchausenBonus, qTargets } from "../losses/q-learning.js";
import { traceQUpdate } from "../losses/q-update.js";
import { log } from "../math/logspace.js";
import { logPrior } from "../math/units.js";
import { constant, mul } from "../tensor/operations.js";
import { discount } from "./cases.js";
import type { Mutant } from "./mutant.js";

/** Mistakes that are easy to make in Q-learning with a target network. */
export const qLearningMutants: readonly Mutant[] = [
  {
    mutant: "max for log-sum-exp",
    mistake: "The soft backups bootstrap from max Q.",
    replaces: { bootstrapValue: (terms) => bootstrapValue({ ...terms, backup: "hard" }) },
  },
  {
    mutant: "log-sum-exp for max",
    mistake: "The hard backup bootstraps from log Σ exp(Q).",
    replaces: {
      bootstrapValue: (terms) =>
        bootstrapValue(terms.backup === "hard" ? { ...terms, backup: "soft-entropy", tau: 1 } : terms),
    },
  },
  {
    mutant: "KL for entropy",
    mistake: "The soft-entropy backup subtracts τ log A from the value.",
    replaces: {
      bootstrapValue(terms) {
        if (terms.backup !== "soft-entropy") return bootstrapValue(terms);
        const [, count] = terms.targetQ.shape;
        const uniform = logPrior(constant(new Float64Array(count).fill(-log(count))));
        return bootstrapValue({ ...terms, backup: "soft-kl", logPrior: uniform });
      },
    },
  },
  {
    mutant: "DQN bootstraps at a terminal state",
    mistake: "The target adds γ B(s') even after a termination.",
    replaces: {
      qTargets: (returns, discounts, values) =>
        qTargets(returns, constant(new Float64Array(discounts.size).fill(discount)), values),
    },
  },
  {
    mutant: "online for target network",
    mistake: "The targets are computed with θ in place of the target network's parameters.",
    replaces: {
      traceQUpdate: (network, batch, views, _targetViews, update, formulas) =>
        traceQUpdate(network, batch, views, views, update, formulas),
    },
  },
  {
    mutant: "bootstrap one step too far",
    mistake: "The n-step target multiplies B by γ^(n+1).",
    replaces: {
      qTargets: (returns, discounts, values) => qTargets(returns, mul(discount, discounts), values),
    },
  },
  {
    mutant: "Munchausen's clip dropped",
    mistake: "τ log π is added to the reward without the floor l₀.",
    replaces: { munchausenBonus: (terms) => munchausenBonus({ ...terms, floor: -1e6 }) },
  },
];
