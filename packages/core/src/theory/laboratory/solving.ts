import type { Random } from "../../base/random.js";
import { klDivergence } from "../../math/categorical.js";
import { log } from "../../math/logspace.js";
import { type LogProbabilities, logPrior, qValues, type StateValues, stateValues } from "../../math/units.js";
import { garnet } from "../../mdp/mdp-families.js";
import { occupancy } from "../../mdp/occupancy.js";
import { boltzmannPolicies, policyQ, policyValues } from "../../mdp/operators.js";
import { largest, logLogSlope } from "../../mdp/residual.js";
import type { SoftMdp } from "../../mdp/soft-mdp.js";
import { softPolicyIteration, softValueIteration } from "../../mdp/solvers.js";
import { sparseMdp } from "../../mdp/sparse-mdp.js";
import type { SweepOrder } from "../../mdp/sweep.js";
import { plainSweeps } from "../../mdp/sweeps.js";
import { atLeast, atMost, type Demonstration, near } from "./demonstration.js";

const states = 50;
const actions = 3;

/** A Garnet of 50 states without terminal states, with uniform π̄. */
function drawn(random: Random, tau: number, gamma: number): SoftMdp {
  const mdp = garnet({ states, actions, branching: 4 }, random);
  return { mdp, logPrior: uniform, tau, gamma };
}

const uniform = logPrior(new Float64Array(states * actions).fill(-log(actions)));

const distance = (x: Float64Array, y: Float64Array) => largest(x.map((xi, i) => xi - y[i]));

/** The error of value iteration per sweep, with the bound that the last change certifies (§3.3). */
export function fixedPoint(random: Random): Demonstration {
  const gamma = 0.9;
  const sweeps = 120;
  const problem = drawn(random, 0.1, gamma);
  const truth = softPolicyIteration(problem, { tolerance: 1e-13 }).v;
  const run = (order: SweepOrder) => {
    const running = plainSweeps(
      { ...problem, mdp: sparseMdp(problem.mdp) },
      stateValues(new Float64Array(states)),
      order,
    );
    return Array.from({ length: sweeps }, (_, i) => {
      const bound = (gamma * running.sweep()) / (1 - gamma);
      return { sweep: i + 1, bound, error: distance(running.v, truth) };
    });
  };
  const jacobi = run("jacobi");
  const inPlace = run("gauss-seidel");
  // Near 1e-13 the curves would show rounding.
  const drawnOnly = (points: readonly (readonly [number, number])[]) => points.filter(([, y]) => y > 1e-11);
  const all = [...jacobi, ...inPlace];
  return {
    name: "fixed-point",
    title: "Value iteration bounds its own error",
    section: "§3.3",
    equation: "V ← T V,  ‖V − V*‖∞ ≤ γ/(1 − γ) · ‖last change‖∞",
    prose: [
      "V*(s) is the value of state s under the best policy. Value iteration starts from V = 0 and backs up every state again and again.",
      "While it runs, V* is unknown. But every later change is smaller by at least the factor γ, so the last change bounds the remaining error. The thin dashed lines are this bound. The coloured lines, on or just below them, are the true error, which is known here because policy iteration has computed V* exactly.",
      "In place, each state already uses the new values of the states before it. This takes fewer sweeps, and the same bound holds.",
    ],
    x: { label: "sweeps over all states", scale: "linear" },
    y: { label: "largest error of V", scale: "log" },
    series: [
      {
        name: "certified bound",
        kind: "theory",
        points: drawnOnly(jacobi.map(({ sweep, bound }) => [sweep, bound])),
      },
      {
        name: "certified bound, in place",
        kind: "theory",
        points: drawnOnly(inPlace.map(({ sweep, bound }) => [sweep, bound])),
      },
      {
        name: "true error",
        kind: "measured",
        points: drawnOnly(jacobi.map(({ sweep, error }) => [sweep, error])),
      },
      {
        name: "true error, in place",
        kind: "measured",
        points: drawnOnly(inPlace.map(({ sweep, error }) => [sweep, error])),
      },
    ],
    facts: [
      atMost(
        "largest ratio of the true error to the certified bound",
        Math.max(...all.filter(({ error }) => error > 1e-8).map(({ error, bound }) => error / bound)),
        // If a change is the same in all states, the bound is reached, and rounding may exceed it.
        1 + 1e-6,
      ),
      near("ratio of the errors after and before sweep 81", jacobi[80].error / jacobi[79].error, gamma, 0.02),
    ],
  };
}

/** Soft policy iteration: how far each policy is from the best one, measured and predicted (§3.2, 6). */
export function improvement(random: Random): Demonstration {
  const tau = 0.05;
  const problem = drawn(random, tau, 0.95);
  const best = softPolicyIteration(problem, { tolerance: 1e-13 });
  let logPi: LogProbabilities = boltzmannPolicies(
    { ...problem, tau: 1 },
    qValues(new Float64Array(states * actions)),
  );
  const measured: [number, number][] = [];
  const predicted: [number, number][] = [];
  let lowestGain = Number.POSITIVE_INFINITY;
  let mismatch = 0;
  let before: StateValues | undefined;
  const target = logPrior(best.logPi);
  for (let i = 0; i <= 8; i++) {
    const v = policyValues(problem, logPi);
    const lost = best.v[0] - v[0];
    const visits = occupancy(problem, logPi);
    let regret = 0;
    for (let s = 0; s < states; s++) {
      regret += visits[s] * tau * klDivergence(logPi, target, s * actions, actions, s * actions);
    }
    mismatch = Math.max(mismatch, Math.abs(lost - regret));
    if (lost > 1e-11) {
      measured.push([i, lost]);
      predicted.push([i, regret]);
    }
    if (before !== undefined) {
      const previous = before;
      lowestGain = Math.min(lowestGain, ...v.map((x, s) => x - previous[s]));
    }
    before = v;
    logPi = boltzmannPolicies(problem, policyQ(problem, logPi));
  }
  return {
    name: "improvement",
    title: "Soft policy iteration reaches the best policy in a few steps",
    section: "§3.2–3.3, (6)",
    equation: "π′ ∝ π̄ exp(Q_π/τ) is never worse;  V* − V_π = E Σ γᵗ τ KL[π‖π*]",
    prose: [
      "Compute the action values Q_π of a policy π, then give better actions a higher probability: π′ ∝ π̄ exp(Q_π/τ). The new policy π′ is at least as good as π in every state.",
      "The distance from the optimum can be computed in two ways: as the difference between the values of the two policies, or as the sum of τ KL[π‖π*] over the discounted visits of π. Both give the same number at each iteration, and it decreases faster and faster.",
    ],
    x: { label: "policy iterations", scale: "linear" },
    y: { label: "V* − V_π at state 0", scale: "log" },
    series: [
      { name: "V* − V_π", kind: "measured", points: measured },
      { name: "E Σ γᵗ τ KL[π‖π*]", kind: "cloud", points: predicted },
    ],
    facts: [
      atLeast("smallest gain of any state in any iteration", lowestGain, -1e-12),
      atMost("largest difference between the two computations", mismatch, 1e-11),
    ],
  };
}

/** V*_τ → V*_0 as τ → 0, first order in τ (§3.3). */
export function coldLimit(random: Random): Demonstration {
  const problem = drawn(random, 0, 0.9);
  const at = (tau: number) => softValueIteration({ ...problem, tau }, { tolerance: 1e-12 }).v;
  const hard = at(0);
  const taus = Array.from({ length: 21 }, (_, i) => 10 ** (1 - i / 3));
  const errors = taus.map((tau) => distance(at(tau), hard));
  const cold = taus.map((tau, i) => ({ tau, error: errors[i] })).filter(({ tau }) => tau < 2e-3);
  const last = cold[cold.length - 1];
  return {
    name: "cold-limit",
    title: "As τ → 0, the soft optimum becomes the usual optimum",
    section: "§3.2–3.3",
    equation: "V*_τ → V*_0 as τ → 0, with an error proportional to τ",
    prose: [
      "The temperature τ is the price of differing from the reference policy π̄. With a large τ the best policy stays near π̄; with a small τ it almost always takes the best action.",
      "As τ decreases, the soft values converge to the values of ordinary reinforcement learning. The difference is proportional to τ, a line of slope 1 on logarithmic axes. Nothing overflows, although exp(Q/τ) itself is far too large for float64.",
    ],
    x: { label: "temperature τ", scale: "log" },
    y: { label: "largest |V*_τ − V*_0|", scale: "log" },
    series: [
      { name: "measured", kind: "measured", points: taus.map((tau, i) => [tau, errors[i]]) },
      {
        name: "proportional to τ",
        kind: "theory",
        points: taus.map((tau) => [tau, (tau * last.error) / last.tau]),
      },
    ],
    facts: [
      near(
        "slope on logarithmic axes for τ < 0.002",
        logLogSlope(
          cold.map(({ tau }) => tau),
          cold.map(({ error }) => error),
        ),
        1,
        0.05,
      ),
    ],
  };
}
