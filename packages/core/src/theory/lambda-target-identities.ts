import type { Random } from "../base/random.js";
import { terminatedFlags, truncatedFlags } from "../math/endings.js";
import { emptyTrajectory, lambdaTargetsInto, type Trajectory } from "../math/returns.js";
import { qValues } from "../math/units.js";
import { relativeDifference } from "../mdp/residual.js";
import type { Identity } from "./identity.js";
import type { Mutant } from "./mutant.js";

const tau = 0.3;
const gamma = 0.9;

/** The λ-targets of PQN, along trajectories whose episodes end in both ways. */
export const lambdaTargetIdentities: readonly Identity[] = [
  {
    identity: "PQN's λ-target = (1 − λ) Σ λ^{k−1} (k-step return of Q), summed step by step",
    equation: "§3.4, Gallici et al. (2024)",
    bound: 1e-12,
    residual(formulas, random) {
      const trajectory = drawnTrajectory(random);
      const length = trajectory.rewards.length;
      const lambda = random.uniform(0.2, 0.95);
      const targets = qValues(new Float64Array(length));
      formulas.lambdaTargetsInto(trajectory, tau, gamma, lambda, targets);
      const slow = targets.map((_, i) => lambdaReturn(trajectory, i, lambda));
      return relativeDifference(targets, slow);
    },
  },
];

/** Mistakes in λ-targets. */
export const lambdaTargetMutants: readonly Mutant[] = [
  {
    mutant: "λ-target without KL",
    mistake: "G_{t+1} counts as V(s_{t+1}), without − τ KL.",
    replaces: {
      lambdaTargetsInto: (trajectory, _tau, discount, lambda, targets) =>
        lambdaTargetsInto(trajectory, 0, discount, lambda, targets),
    },
  },
  {
    mutant: "PQN bootstraps at a terminal state",
    mistake: "The last reward of a terminated episode is followed by γ V(s'), as if it had been truncated.",
    replaces: {
      lambdaTargetsInto: (trajectory, temperature, discount, lambda, targets) => {
        const { terminated, truncated } = trajectory;
        const cut = truncatedFlags(truncated.length);
        cut.set(truncated.map((flag, i) => flag | terminated[i]));
        const endless = { ...trajectory, terminated: terminatedFlags(terminated.length), truncated: cut };
        lambdaTargetsInto(endless, temperature, discount, lambda, targets);
      },
    },
  },
  {
    mutant: "λ-target across a truncation",
    mistake: "After a truncated episode the sum goes on with the next one.",
    replaces: {
      lambdaTargetsInto: (trajectory, temperature, discount, lambda, targets) => {
        const truncated = truncatedFlags(trajectory.truncated.length);
        lambdaTargetsInto({ ...trajectory, truncated }, temperature, discount, lambda, targets);
      },
    },
  },
];

/** Nine steps of two environments, with an ending of each kind in both. */
function drawnTrajectory(random: Random): Trajectory<Float64Array> {
  const trajectory = emptyTrajectory(9, 2);
  const { rewards, kl, values, bootstrapValues, terminated, truncated } = trajectory;
  for (let i = 0; i < rewards.length; i++) {
    rewards[i] = random.uniform(-1, 1);
    kl[i] = random.uniform(0.1, 2);
    values[i] = random.uniform(-3, 3);
    bootstrapValues[i] = random.uniform(-3, 3);
  }
  for (let s = 0; s < 2; s++) {
    const first = 1 + random.integer(3);
    terminated[2 * first + s] = 1;
    truncated[2 * (first + 1 + random.integer(3)) + s] = 1;
  }
  return trajectory;
}

/** The λ-return of the action at step i, from the k-step returns to the end of its episode or of the trajectory. */
function lambdaReturn(trajectory: Trajectory<Float64Array>, i: number, lambda: number): number {
  const { size, terminated, truncated, rewards } = trajectory;
  let steps = 1;
  for (let j = i; j + size < rewards.length && !terminated[j] && !truncated[j]; j += size) steps++;
  let total = 0;
  for (let k = 1; k <= steps; k++) {
    const weight = lambda ** (k - 1) * (k < steps ? 1 - lambda : 1);
    total += weight * nStepReturn(trajectory, i, k);
  }
  return total;
}

/** r_t + Σ_{0<d<k} γ^d (r_{t+d} − τ KL_{t+d}) + γ^k V(s_{t+k}). */
function nStepReturn(
  { size, rewards, kl, terminated, bootstrapValues }: Trajectory<Float64Array>,
  i: number,
  k: number,
): number {
  let total = rewards[i];
  for (let d = 1; d < k; d++) total += gamma ** d * (rewards[i + d * size] - tau * kl[i + d * size]);
  const last = i + (k - 1) * size;
  return total + (terminated[last] ? 0 : gamma ** k * bootstrapValues[last]);
}
