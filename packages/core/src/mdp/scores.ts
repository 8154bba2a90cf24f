/** Policies and Q-functions with parameters θ [P], and their derivatives in closed form. */
import { requireInteger, requireLength } from "../base/errors.js";
import { exp } from "../math/logspace.js";
import { type LogProbabilities, type QValues, qValues, type StateValues } from "../math/units.js";
import { boltzmannPolicies, softValues } from "./operators.js";
import { requirePositiveTau, type SoftMdp } from "./soft-mdp.js";

/** Rows of derivatives with respect to θ: [rows, P] row-major. */
export interface Derivatives {
  /** P */
  readonly parameters: number;
  readonly rows: Float64Array;
}

/** Q_θ at one θ, the V_θ and π_θ that follow from it (§3.2), and the derivatives. */
export interface QModel {
  /** [S, A] */
  readonly q: QValues;
  /** [S] */
  readonly v: StateValues;
  /** [S, A] */
  readonly logPi: LogProbabilities;
  /** ψ(s,a) = ∇log π_θ(a|s): [S · A, P] */
  readonly scores: Derivatives;
  /** ∇V_θ(s): [S, P] */
  readonly valueGradients: Derivatives;
}

/**
 * ∇log π(a|s) = φ(s,a) − E_π φ(s,·) for a policy that is log-linear in the features φ: π ∝ π̄ exp(θᵀφ). [S ·
 * A, P]
 */
export function linearScores(features: Derivatives, logPi: LogProbabilities, actions: number): Derivatives {
  const { parameters } = features;
  requireLength(
    "linearScores",
    "features",
    features.rows.length,
    logPi.length * parameters,
    "φ is [S · A, P]",
  );
  const means = policyMeans(features, logPi, actions);
  const rows = features.rows.map((x, i) => {
    const row = Math.floor(i / parameters);
    return x - means[Math.floor(row / actions) * parameters + (i % parameters)];
  });
  return { parameters, rows };
}

/** The features of a table: θ has one entry per (s, a), and φ(s,a) is its unit vector. [S · A, S · A] */
export function tabularFeatures(states: number, actions: number): Derivatives {
  requireInteger("tabularFeatures", "states", states, 1);
  requireInteger("tabularFeatures", "actions", actions, 1);
  const parameters = states * actions;
  const rows = new Float64Array(parameters * parameters);
  for (let i = 0; i < parameters; i++) rows[i * parameters + i] = 1;
  return { parameters, rows };
}

/** Q_θ(s,a) = θᵀφ(s,a), with V_θ, π_θ and their derivatives: ∇V = E_π φ and ∇log π = (φ − E_π φ)/τ. */
export function linearQ(problem: SoftMdp, features: Derivatives, theta: Float64Array): QModel {
  requirePositiveTau("linearQ", problem);
  const { parameters } = features;
  const { actions } = problem.mdp;
  requireLength("linearQ", "theta", theta.length, parameters);
  const q = qValues(new Float64Array(features.rows.length / parameters));
  for (let i = 0; i < q.length; i++) {
    for (let k = 0; k < parameters; k++) q[i] += features.rows[i * parameters + k] * theta[k];
  }
  const logPi = boltzmannPolicies(problem, q);
  const scores = linearScores(features, logPi, actions);
  return {
    q,
    v: softValues(problem, q),
    logPi,
    scores: { parameters, rows: scores.rows.map((x) => x / problem.tau) },
    valueGradients: { parameters, rows: policyMeans(features, logPi, actions) },
  };
}

/** E_π φ(s,·) for each state. [S, P] */
function policyMeans(features: Derivatives, logPi: LogProbabilities, actions: number): Float64Array {
  const { parameters, rows } = features;
  const means = new Float64Array((logPi.length / actions) * parameters);
  for (let row = 0; row < logPi.length; row++) {
    const probability = exp(logPi[row]);
    const at = Math.floor(row / actions) * parameters;
    for (let k = 0; k < parameters; k++) means[at + k] += probability * rows[row * parameters + k];
  }
  return means;
}
