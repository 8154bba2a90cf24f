import type { Algorithm, PolicyValueModel } from "../algorithms/algorithm.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { klDivergence } from "../math/categorical.js";
import { type TracedTheorem, traceTheorem } from "../theory/theorem.js";
import { type GapAtState, gapAtState } from "../theory/theorem-gap-at-state.js";

/**
 * Measures the theorem at the present state of an environment that can save itself: tries every action from there for
 * its Δ = r − τ KL + γ V(s') − V(s), and leaves the environment as it was. In float64, on the reference executor.
 */
export class TheoremMeter {
  #traced: { readonly tau: number; readonly weight: number; readonly theorem: TracedTheorem } | null = null;

  /**
   * @param environment a single one
   * @returns null where the environment cannot save itself, or the algorithm does not learn log π and V
   */
  async measure(algorithm: Algorithm, environment: VectorEnvironment): Promise<GapAtState | null> {
    const { model } = algorithm;
    if (model === undefined) return null;
    const observation = environment.observations.slice();
    const advantages = await advantagesAt(algorithm, model, environment);
    if (advantages === null) return null;
    const theorem = this.#theoremOf(model);
    theorem.theta.set(model.theta());
    return gapAtState(theorem, { observation, logPrior: model.logPrior, advantages }, model.tau);
  }

  #theoremOf({ network, tau, valueCoefficient: weight }: PolicyValueModel): TracedTheorem {
    if (this.#traced?.tau !== tau || this.#traced.weight !== weight) {
      this.#traced = { tau, weight, theorem: traceTheorem(network, { tau, valueWeight: weight }) };
    }
    return this.#traced.theorem;
  }
}

/** Δ [A] of one step; null where the environment cannot save itself. */
async function advantagesAt(
  { policy }: Algorithm,
  { tau, gamma, logPrior, rewardScale = 1, bonusInReturns }: PolicyValueModel,
  environment: VectorEnvironment,
): Promise<Float64Array | null> {
  const saved = await environment.save();
  if (saved === null) return null;
  const { logPi, v } = policy.evaluate(environment.observations);
  const first = (value: typeof v) => value?.[0] ?? 0;
  const kl = klDivergence(logPi, logPrior);
  const advantages = new Float64Array(logPi.length);
  try {
    for (let action = 0; action < advantages.length; action++) {
      await environment.restore(saved);
      await environment.step(Int32Array.of(action));
      const ended = environment.terminated[0] === 1;
      const next = environment.truncated[0] === 1 ? environment.finalObservations : environment.observations;
      const after = ended ? 0 : first(policy.evaluate(next.slice()).v);
      const reward = environment.rewards[0] / rewardScale - (bonusInReturns ? tau * kl : 0);
      advantages[action] = reward + gamma * after - first(v);
    }
  } finally {
    await environment.restore(saved);
  }
  return advantages;
}
