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

/** A Garnet of 50 states that never ends, π̄ uniform. */
function drawn(random: Random, tau: number, gamma: number): SoftMdp {
  const mdp = garnet({ states, actions, branching: 4 }, random);
  return { mdp, logPrior: uniform, tau, gamma };
}

const uniform = logPrior(new Float64Array(states * actions).fill(-log(actions)));

const apart = (x: Float64Array, y: Float64Array) => largest(x.map((xi, i) => xi - y[i]));

/** The error of value iteration by sweep, with the bound that the last change certifies (§3.3). */
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
      return { sweep: i + 1, bound, error: apart(running.v, truth) };
    });
  };
  const jacobi = run("jacobi");
  const inPlace = run("gauss-seidel");
  // Near 1e-13 it is rounding that is drawn.
  const drawnOnly = (points: readonly (readonly [number, number])[]) => points.filter(([, y]) => y > 1e-11);
  const all = [...jacobi, ...inPlace];
  return {
    name: "fixed-point",
    title: "Value iteration knows how far it still has to go",
    section: "§3.3",
    equation: "V ← T V,  ‖V − V*‖∞ ≤ γ/(1 − γ) · ‖last change‖∞",
    prose: [
      "V*(s) is what a state is worth to someone who acts best from there on. Value iteration starts from nothing and backs up every state again and again.",
      "Nobody knows V* while it runs. But the last change bounds what is left, since every later change is smaller by γ. The thin dashed lines are that promise; the coloured lines just below, or under them, are the truth, known here because another algorithm has computed V* exactly.",
      "In place, each state already uses the new values of those before it: fewer sweeps, the same promise.",
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
        "true error over the certified bound, worst sweep",
        Math.max(...all.filter(({ error }) => error > 1e-8).map(({ error, bound }) => error / bound)),
        // Where a change is the same in all states the bound is reached, and rounding may pass it.
        1 + 1e-6,
      ),
      near("error after a sweep over error before, late", jacobi[80].error / jacobi[79].error, gamma, 0.02),
    ],
  };
}

/** Soft policy iteration: what each policy lacks, measured and foretold (§3.2, 6). */
export function improvement(random: Random): Demonstration {
  const tau = 0.05;
  const problem = drawn(random, tau, 0.95);
  const best = softPolicyIteration(problem, { tolerance: 1e-13 });
  let logPi: LogProbabilities = boltzmannPolicies(
    { ...problem, tau: 1 },
    qValues(new Float64Array(states * actions)),
  );
  const measured: [number, number][] = [];
  const foretold: [number, number][] = [];
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
      foretold.push([i, regret]);
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
    title: "A few improvements, and the policy is the best one",
    section: "§3.2–3.3, (6)",
    equation: "π′ ∝ π̄ exp(Q_π/τ) is never worse;  V* − V_π = E Σ γᵗ τ KL[π‖π*]",
    prose: [
      "A policy π says how likely each action is. Compute what its actions are worth (Q_π), then prefer those that are worth more: that is the new policy π′. No state ever loses by it.",
      "What a policy lacks can be read off in two ways: its value beside the best one's, or how different it is from the best policy (τ KL) wherever it goes. Both give the same number at each step, and it falls faster and faster.",
    ],
    x: { label: "improvements", scale: "linear" },
    y: { label: "value that is lacking at the start", scale: "log" },
    series: [
      { name: "V* − V_π", kind: "measured", points: measured },
      { name: "E Σ γᵗ τ KL[π‖π*]", kind: "cloud", points: foretold },
    ],
    facts: [
      atLeast("smallest gain of any state in any improvement", lowestGain, -1e-12),
      atMost("largest difference of the two readings", mismatch, 1e-11),
    ],
  };
}

/** V*_τ → V*_0 as τ → 0, first order in τ (§3.3). */
export function coldLimit(random: Random): Demonstration {
  const problem = drawn(random, 0, 0.9);
  const at = (tau: number) => softValueIteration({ ...problem, tau }, { tolerance: 1e-12 }).v;
  const hard = at(0);
  const taus = Array.from({ length: 21 }, (_, i) => 10 ** (1 - i / 3));
  const errors = taus.map((tau) => apart(at(tau), hard));
  const cold = taus.map((tau, i) => ({ tau, error: errors[i] })).filter(({ tau }) => tau < 2e-3);
  const last = cold[cold.length - 1];
  return {
    name: "cold-limit",
    title: "Without temperature, the soft optimum is the usual one",
    section: "§3.2–3.3",
    equation: "V*_τ → V*_0 as τ → 0, with an error in proportion to τ",
    prose: [
      "The temperature τ is the price of being different from the reference policy π̄: at a large τ the best policy stays near π̄, at a small one it takes the best action and nothing else.",
      "As τ shrinks, the soft values come to the values of ordinary reinforcement learning, and the difference shrinks as τ does: on these axes a line of slope 1. Nothing overflows on the way, though exp(Q/τ) is far beyond any number that a computer holds.",
    ],
    x: { label: "temperature τ", scale: "log" },
    y: { label: "largest |V*_τ − V*_0|", scale: "log" },
    series: [
      { name: "measured", kind: "measured", points: taus.map((tau, i) => [tau, errors[i]]) },
      {
        name: "in proportion to τ",
        kind: "theory",
        points: taus.map((tau) => [tau, (tau * last.error) / last.tau]),
      },
    ],
    facts: [
      near(
        "slope on logarithmic axes, τ below 0.002",
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
