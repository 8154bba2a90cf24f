import { exp } from "../math/logspace.js";
import type { TheoremActions, TracedTheorem } from "./theorem.js";

/** How far the two steps are apart at one state. */
export interface GapAtState {
  /** √Σ π(a) |g_Q(a) − g_PG(a)|² / √Σ π(a) |g_PG(a)|²: the distance of single samples. */
  readonly perSample: number;
  /** |Σ π(a) (g_Q(a) − g_PG(a))| / √Σ π(a) |g_PG(a)|²: the distance that is left on average, 0 by §4. */
  readonly expected: number;
}

/**
 * The distance of soft Q-learning's gradient g_Q and the policy gradient with value fit g_PG at one state, over all its
 * actions, each with its own Δ. 0 and 0 where g_PG is zero for every action.
 */
export function gapAtState(
  theorem: TracedTheorem,
  { observation, logPrior, advantages }: Pick<TheoremActions, "observation" | "logPrior" | "advantages">,
  tau: number,
): GapAtState {
  const { v, logPi, kl } = theorem.state(observation, logPrior);
  const mean = new Float64Array(theorem.theta.length);
  let [distance, size] = [0, 0];
  for (let action = 0; action < logPi.length; action++) {
    const probability = exp(logPi[action]);
    const advantage = advantages[action];
    const { softQ, policyAndValue } = theorem.gradients(
      { observation, action, advantage, valueTarget: v + advantage, softQTarget: tau * kl + v + advantage },
      logPrior,
    );
    for (let i = 0; i < mean.length; i++) {
      const difference = softQ[i] - policyAndValue[i];
      mean[i] += probability * difference;
      distance += probability * difference * difference;
      size += probability * policyAndValue[i] * policyAndValue[i];
    }
  }
  if (size === 0) return { perSample: 0, expected: 0 };
  const left = mean.reduce((sum, x) => sum + x * x, 0);
  return { perSample: Math.sqrt(distance / size), expected: Math.sqrt(left / size) };
}
