/**
 * The gradients of §4 for one sample (s, a) on a finite MDP, in closed form: what an algorithm computes from a single
 * action. Their expectations over a ~ π_θ are `softQGradient`, `policyGradient` and `valueGradient`.
 *
 * A sample is named by its row s · A + a. Each result has one number per parameter, [P]. All functions throw a
 * SoftrlError for a row that does not exist or belongs to a terminal state, where no action is taken.
 */
import { fail, requireInteger } from "../base/errors.js";
import { klDivergence } from "../math/categorical.js";
import { exp } from "../math/logspace.js";
import type { QModel } from "./scores.js";
import type { SoftMdp } from "./soft-mdp.js";

/** ∇½(Q_θ(s,a) − y)² = (Q_θ − y)(∇V_θ + τ ∇log π_θ), with y held constant (§3.5, 57): a direction of descent. */
export function softQSampleGradient(
  problem: SoftMdp,
  model: QModel,
  row: number,
  target: number,
): Float64Array {
  requireRow("softQSampleGradient", problem, row);
  const { mdp, tau } = problem;
  const score = rowOf(model.scores, row);
  const slope = rowOf(model.valueGradients, Math.floor(row / mdp.actions));
  const error = model.q[row] - target;
  return slope.map((x, k) => error * (x + tau * score[k]));
}

/** ∇log π_θ(a|s) Δ − τ ∇KL(s) (§3.6): a direction of ascent. */
export function policySampleGradient(
  problem: SoftMdp,
  model: QModel,
  row: number,
  advantage: number,
): Float64Array {
  requireRow("policySampleGradient", problem, row);
  const klSlope = klGradient(problem, model, Math.floor(row / problem.mdp.actions));
  return rowOf(model.scores, row).map((x, k) => x * advantage - problem.tau * klSlope[k]);
}

/** ∇½(V_θ(s) − V̂)² with V̂ = V + Δ held constant: −Δ ∇V_θ(s) (§3.6), a direction of descent. */
export function valueSampleGradient(
  problem: SoftMdp,
  model: QModel,
  row: number,
  advantage: number,
): Float64Array {
  requireRow("valueSampleGradient", problem, row);
  return rowOf(model.valueGradients, Math.floor(row / problem.mdp.actions)).map((x) => -advantage * x);
}

/**
 * The gap of one sample (§4): soft-Q gradient − (value gradient − τ · policy gradient), for the same Δ and
 * y = τ KL + V + Δ. It is τ²[∇log π(a)(ℓ_a − KL) − ∇KL] + τ(ℓ_a − KL)∇V with ℓ_a = log(π(a)/π̄(a)), does not depend on
 * Δ, and has mean zero under π_θ.
 */
export function sampleGap(problem: SoftMdp, model: QModel, row: number): Float64Array {
  requireRow("sampleGap", problem, row);
  const { mdp, logPrior, tau } = problem;
  const s = Math.floor(row / mdp.actions);
  const klSlope = klGradient(problem, model, s);
  const slope = rowOf(model.valueGradients, s);
  const from = s * mdp.actions;
  const excess =
    model.logPi[row] - logPrior[row] - klDivergence(model.logPi, logPrior, from, mdp.actions, from);
  return rowOf(model.scores, row).map(
    (x, k) => tau ** 2 * (x * excess - klSlope[k]) + tau * excess * slope[k],
  );
}

/** ∇KL[π_θ(·|s) ‖ π̄(·|s)] = E_π[∇log π · log(π/π̄)]. [P] */
function klGradient({ mdp, logPrior }: SoftMdp, { logPi, scores }: QModel, s: number): Float64Array {
  const sum = new Float64Array(scores.parameters);
  for (let row = s * mdp.actions; row < (s + 1) * mdp.actions; row++) {
    if (logPi[row] === Number.NEGATIVE_INFINITY) continue;
    const weight = exp(logPi[row]) * (logPi[row] - logPrior[row]);
    const score = rowOf(scores, row);
    for (let k = 0; k < sum.length; k++) sum[k] += weight * score[k];
  }
  return sum;
}

/** Throws unless the row is one of a state in which an action is taken. */
function requireRow(where: string, { mdp }: SoftMdp, row: number): void {
  requireInteger(where, "row", row, 0);
  if (row >= mdp.states * mdp.actions) {
    fail(where, "row is out of range", {
      expected: `less than S · A = ${mdp.states * mdp.actions}`,
      got: String(row),
    });
  }
  const s = Math.floor(row / mdp.actions);
  if (mdp.terminal[s]) fail(where, `state ${s} is terminal`, { expected: "a state in which the agent acts" });
}

function rowOf({ parameters, rows }: QModel["scores"], row: number): Float64Array {
  return rows.subarray(row * parameters, (row + 1) * parameters);
}
