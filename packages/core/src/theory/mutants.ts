import { policyFromQ } from "../losses/boltzmann.js";
import { policyGradientLoss } from "../losses/policy-gradient.js";
import { boltzmannPolicy } from "../math/boltzmann.js";
import { terminatedFlags, truncatedFlags } from "../math/endings.js";
import {
  lambdaAdvantagesInto,
  nStepAdvantagesInto,
  softQTargetsInto,
  softTemporalDifferencesInto,
} from "../math/returns.js";
import { logPrior, logProbabilities } from "../math/units.js";
import { logSoftmax, mul } from "../tensor/operations.js";
import { discount } from "./cases.js";
import { type Formulas, formulas } from "./formulas.js";
import { lambdaTargetMutants } from "./lambda-target-identities.js";
import type { Mutant } from "./mutant.js";
import { ppoMutants } from "./ppo-identities.js";
import { qLearningMutants } from "./q-learning-mutants.js";
import { theoryMutants } from "./theory-mutants.js";

/** Mistakes that are easy to make with this paper. */
export const mutants: readonly Mutant[] = [
  {
    mutant: "wrong τ",
    mistake: "The traced policy divides Q by 2τ.",
    replaces: { policyFromQ: (q, prior, tau) => policyFromQ(q, prior, mul(2, tau)) },
  },
  {
    mutant: "KL dropped from the return",
    mistake: "δ uses the plain reward r instead of r − τ KL.",
    replaces: {
      softTemporalDifferencesInto: (trajectory, _tau, gamma, delta) =>
        softTemporalDifferencesInto(trajectory, 0, gamma, delta),
    },
  },
  {
    mutant: "bootstrap at a terminal state",
    mistake: "δ adds γ V(s') even after a termination.",
    replaces: {
      softTemporalDifferencesInto: (trajectory, tau, gamma, delta) =>
        softTemporalDifferencesInto(
          { ...trajectory, terminated: terminatedFlags(trajectory.terminated.length) },
          tau,
          gamma,
          delta,
        ),
    },
  },
  {
    mutant: "n off by one",
    mistake: "The sum has n + 1 soft TD errors.",
    replaces: {
      nStepAdvantagesInto: (trajectory, delta, gamma, n, advantages) =>
        nStepAdvantagesInto(trajectory, delta, gamma, n + 1, advantages),
    },
  },
  {
    mutant: "1/γ for 1/τ",
    mistake: "The advantage stream is scaled by 1/γ, as printed in §6.3.",
    replaces: {
      a2cStreamScales: (_tau, valueWeight) => ({ policy: 1 / discount, value: valueWeight }),
    },
  },
  {
    mutant: "Q where logits belong",
    mistake: "The traced policy is the softmax of Q instead of log π̄ + Q/τ.",
    replaces: { policyFromQ: (q) => logProbabilities(logSoftmax(q)) },
  },
  {
    mutant: "returns across an episode end",
    mistake: "After a truncation, the sum of soft TD errors continues into the next episode.",
    replaces: {
      nStepAdvantagesInto: (trajectory, delta, gamma, n, advantages) =>
        nStepAdvantagesInto(
          { ...trajectory, truncated: truncatedFlags(trajectory.truncated.length) },
          delta,
          gamma,
          n,
          advantages,
        ),
    },
  },
  {
    mutant: "truncation treated as termination",
    mistake: "δ omits γ V(final observation) where an episode was truncated.",
    replaces: {
      softTemporalDifferencesInto(trajectory, tau, gamma, delta) {
        const terminated = terminatedFlags(trajectory.terminated.length);
        trajectory.terminated.forEach((flag, i) => {
          terminated[i] = flag | trajectory.truncated[i];
        });
        softTemporalDifferencesInto({ ...trajectory, terminated }, tau, gamma, delta);
      },
    },
  },
  {
    mutant: "KL of its own step counted in Q",
    mistake: "The soft-Q target is V + Δ, without τ KL.",
    replaces: {
      softQTargetsInto: (kl, _tau, values, advantages, targets) =>
        softQTargetsInto(kl, 0, values, advantages, targets),
    },
  },
  {
    mutant: "π̄ ignored",
    mistake: "The Boltzmann policy is the softmax of Q/τ for every π̄.",
    replaces: {
      boltzmannPolicy: (q, prior, tau) => boltzmannPolicy(q, logPrior(new Float64Array(prior.length)), tau),
    },
  },
  {
    mutant: "no gradient through KL",
    mistake: "The policy gradient omits τ ∇KL(s).",
    thorough: true,
    replaces: {
      policyGradientLoss: (terms) => policyGradientLoss({ ...terms, tau: 0 }),
    },
  },
  {
    mutant: "λ instead of γλ",
    mistake: "The λ-return weights δ_{t+d} by λ^d instead of (γλ)^d.",
    replaces: {
      lambdaAdvantagesInto: (trajectory, delta, _gamma, lambda, advantages) =>
        lambdaAdvantagesInto(trajectory, delta, 1, lambda, advantages),
    },
  },
  ...theoryMutants,
  ...ppoMutants,
  ...qLearningMutants,
  ...lambdaTargetMutants,
];

/** The formulas of the library with the mistake of a mutant. */
export function mutantFormulas({ replaces }: Mutant): Formulas {
  return { ...formulas, ...replaces };
}
