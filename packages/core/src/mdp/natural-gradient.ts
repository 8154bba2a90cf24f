/**
 * The natural gradient of §5, computed in three ways, and the damped soft-Q step that equals it to first
 * order.
 */
import { fail, requireInteger, requireLength, requireNumber } from "../base/errors.js";
import { solve } from "../math/linear-algebra.js";
import {
  type ConjugateGradientsOptions,
  conjugateGradients,
} from "../math/linear-algebra-conjugate-gradients.js";
import { leastSquares } from "../math/linear-algebra-least-squares.js";
import { type LogProbabilities, type QValues, qValues } from "../math/units.js";
import { boltzmannPolicies, stateDivergences } from "./operators.js";
import { type Derivatives, linearScores } from "./scores.js";
import { requirePositiveTau, type SoftMdp } from "./soft-mdp.js";

/** F = E[∇log π ∇log πᵀ] = Σ visits(s,a) ψ ψᵀ (§5). [P, P] row-major, symmetric. */
export function fisherMatrix({ parameters, rows }: Derivatives, visits: Float64Array): Float64Array {
  requireVisits("fisherMatrix", { parameters, rows }, visits);
  const fisher = new Float64Array(parameters * parameters);
  for (let row = 0; row < visits.length; row++) {
    for (let i = 0; i < parameters; i++) {
      const scale = visits[row] * rows[row * parameters + i];
      for (let j = 0; j < parameters; j++) fisher[i * parameters + j] += scale * rows[row * parameters + j];
    }
  }
  return fisher;
}

/** F x = Σ visits ψ (ψᵀ x), without forming the matrix. [P] */
export function fisherVectorProduct(
  { parameters, rows }: Derivatives,
  visits: Float64Array,
  x: Float64Array,
): Float64Array {
  requireVisits("fisherVectorProduct", { parameters, rows }, visits);
  requireLength("fisherVectorProduct", "x", x.length, parameters);
  const product = new Float64Array(parameters);
  for (let row = 0; row < visits.length; row++) {
    let along = 0;
    for (let k = 0; k < parameters; k++) along += rows[row * parameters + k] * x[k];
    for (let k = 0; k < parameters; k++) product[k] += visits[row] * along * rows[row * parameters + k];
  }
  return product;
}

/**
 * F⁻¹ g, by solving (F + damping · I) w = g directly. [P]
 * @throws SoftrlError when F is singular and damping is 0. For a table of logits F is singular: each state
 * has one direction that does not change the policy.
 */
export function naturalGradient(
  scores: Derivatives,
  visits: Float64Array,
  gradient: Float64Array,
  damping = 0,
): Float64Array {
  requireNumber("naturalGradient", "damping", damping, 0, Number.MAX_VALUE);
  const fisher = fisherMatrix(scores, visits);
  for (let k = 0; k < scores.parameters; k++) fisher[k * scores.parameters + k] += damping;
  return solve(fisher, gradient);
}

/** F⁻¹ g by conjugate gradients with Fisher-vector products; the shortest solution if F is singular. [P] */
export function naturalGradientByConjugateGradients(
  scores: Derivatives,
  visits: Float64Array,
  gradient: Float64Array,
  { damping = 0, ...options }: ConjugateGradientsOptions & { readonly damping?: number } = {},
): Float64Array {
  const product = (x: Float64Array) =>
    fisherVectorProduct(scores, visits, x).map((y, k) => y + damping * x[k]);
  return conjugateGradients(product, gradient, options).x;
}

/**
 * argmin_w Σ visits ½(wᵀψ − target)²: regression on the compatible features ψ. For the targets Δ the result
 * is F⁻¹ g (66); with KL the targets are {@link regressionTargets} (71). Solved by QR, so F is never formed.
 * [P]
 */
export function naturalGradientByLeastSquares(
  scores: Derivatives,
  visits: Float64Array,
  targets: Float64Array,
): Float64Array {
  requireVisits("naturalGradientByLeastSquares", scores, visits);
  requireLength("naturalGradientByLeastSquares", "targets", targets.length, visits.length);
  const { parameters, rows } = scores;
  const roots = visits.map(Math.sqrt);
  return leastSquares(
    rows.map((x, i) => x * roots[Math.floor(i / parameters)]),
    targets.map((y, row) => (roots[row] === 0 ? 0 : y * roots[row])),
    parameters,
  );
}

/**
 * Δ(s,a) − τ (log(π/π̄) − KL(s)): the regression targets of the natural gradient with KL (71). [S, A]; 0 where
 * π is 0, since those actions have no weight.
 */
export function regressionTargets(
  problem: SoftMdp,
  logPi: LogProbabilities,
  advantages: Float64Array,
): Float64Array {
  const { mdp, logPrior, tau } = problem;
  const kl = stateDivergences(problem, logPi);
  return advantages.map((delta, row) => {
    const s = Math.floor(row / mdp.actions);
    if (mdp.terminal[s] || logPi[row] === Number.NEGATIVE_INFINITY) return 0;
    return delta - tau * (logPi[row] - logPrior[row] - kl[s]);
  });
}

/** A policy at its parameters: log π_θ [S, A] and ∇log π_θ [S · A, P]. */
export interface PolicyAt {
  readonly logPi: LogProbabilities;
  readonly scores: Derivatives;
}

/** The inputs of a damped soft-Q step. */
export interface DampedSoftQ {
  readonly problem: SoftMdp;
  /** π_θ and its scores at any θ [P]. */
  readonly policy: (theta: Float64Array) => PolicyAt;
  /** θ [P] before the step. */
  readonly theta: Float64Array;
  /** [S, A] d(s) π_θ(a|s): the weights of the fit, those of the old policy. */
  readonly visits: Float64Array;
  /** [S, A] Δ(s,a) at the old policy. */
  readonly advantages: Float64Array;
  /** ε in (0, 1]: the fraction of the way to the targets. */
  readonly epsilon: number;
}

/**
 * θ' − θ of damped soft Q-fitting with V held constant (§5): θ' minimises Σ visits ½(V + τ log(π_θ'/π̄) − Q̂)²
 * with Q̂ = (1 − ε) Q_old + ε y and y = τ KL + V + Δ. To first order in ε it is ε/τ times the natural
 * gradient. The relative error is of order ε; for a log-linear policy it is of order ε², because the
 * second-order terms average to zero.
 *
 * The fit is not linear in θ, so it takes Gauss-Newton steps until they converge. [P]
 */
export function dampedSoftQStep(
  { problem, policy, theta, visits, advantages, epsilon }: DampedSoftQ,
  steps = 100,
): Float64Array {
  const where = "dampedSoftQStep";
  requirePositiveTau(where, problem);
  requireNumber(where, "epsilon", epsilon, Number.MIN_VALUE, 1);
  requireInteger(where, "steps", steps, 1);
  const { tau } = problem;
  const old = policy(theta).logPi;
  const targets = regressionTargets(problem, old, advantages).map((x) => epsilon * x);
  const moved = theta.slice();
  for (let step = 0; step < steps; step++) {
    const { logPi, scores } = policy(moved);
    // V cancels, which leaves Q̂ − Q_θ' = ε(y − Q_old) − τ (log π_θ' − log π_old).
    const left = targets.map((x, row) => (visits[row] === 0 ? 0 : x / tau - (logPi[row] - old[row])));
    const change = naturalGradientByLeastSquares(scores, visits, left);
    let largest = 0;
    for (let k = 0; k < moved.length; k++) {
      moved[k] += change[k];
      largest = Math.max(largest, Math.abs(change[k]) / (1 + Math.abs(moved[k])));
    }
    if (largest <= 1e-14) return moved.map((x, k) => x - theta[k]);
  }
  return fail(where, "the fit does not converge", { remedy: "use a smaller epsilon, or more steps" });
}

/** π_θ ∝ π̄ exp(θᵀφ) for features φ [S · A, P], as log-probabilities. [S, A] */
export function logLinearPolicy(
  problem: SoftMdp,
  { parameters, rows }: Derivatives,
  theta: Float64Array,
): LogProbabilities {
  const preferences: QValues = qValues(new Float64Array(problem.logPrior.length));
  for (let row = 0; row < preferences.length; row++) {
    for (let k = 0; k < parameters; k++) preferences[row] += rows[row * parameters + k] * theta[k];
  }
  return boltzmannPolicies({ ...problem, tau: 1 }, preferences);
}

/**
 * π_θ ∝ π̄ exp(θᵀφ + ½(θᵀχ)²) and its scores. Like a network, it is not linear in θ; a log-linear policy would
 * hide the first-order term.
 */
export function curvedPolicy(
  problem: SoftMdp,
  { parameters, rows }: Derivatives,
  chi: Float64Array,
  theta: Float64Array,
): PolicyAt {
  const preferences = qValues(new Float64Array(problem.logPrior.length));
  const slopes = rows.slice();
  for (let row = 0; row < preferences.length; row++) {
    const at = row * parameters;
    let along = 0;
    for (let k = 0; k < parameters; k++) along += chi[at + k] * theta[k];
    for (let k = 0; k < parameters; k++) {
      preferences[row] += rows[at + k] * theta[k];
      slopes[at + k] += along * chi[at + k];
    }
    preferences[row] += 0.5 * along * along;
  }
  const logPi = boltzmannPolicies({ ...problem, tau: 1 }, preferences);
  const { actions } = problem.mdp;
  return { logPi, scores: linearScores({ parameters, rows: slopes }, logPi, actions) };
}

function requireVisits(where: string, { parameters, rows }: Derivatives, visits: Float64Array): void {
  requireLength(
    where,
    "visits",
    visits.length,
    rows.length / parameters,
    "one weight per row of derivatives",
  );
}
