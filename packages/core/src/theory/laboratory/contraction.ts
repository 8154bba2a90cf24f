import type { Random } from "../../base/random.js";
import { logPrior, type QValues, qValues, type StateValues, stateValues } from "../../math/units.js";
import { garnet } from "../../mdp/mdp-families.js";
import { lambdaBackup, optimalityBackup, policyBackup } from "../../mdp/operators.js";
import { largest } from "../../mdp/residual.js";
import type { SoftMdp } from "../../mdp/soft-mdp.js";
import { draws, randomPolicy } from "../cases.js";
import { atLeast, atMost, type Demonstration } from "./demonstration.js";

const gamma = 0.9;
const problems = 50;
const pairs = 4;
const backups = 20;

/** A Garnet of 20 states and 3 actions without terminal states, so that only γ reduces distances. */
function endless(random: Random): SoftMdp {
  const mdp = garnet({ states: 20, actions: 3, branching: 4 }, random);
  return { mdp, logPrior: logPrior(draws(random, 60, -2, 0)), tau: 0.3, gamma };
}

const distance = (x: Float64Array, y: Float64Array) => largest(x.map((xi, i) => xi - y[i]));

/** A second starting point: x shifted by one everywhere (pair 0), or by random numbers. */
function other(x: Float64Array, pair: number, random: Random): Float64Array {
  const step = pair === 0 ? new Float64Array(x.length).fill(1) : draws(random, x.length, -1, 1);
  return x.map((xi, i) => xi + step[i]);
}

/** ‖Tⁿ Q − Tⁿ Q'‖ against γⁿ, for T and for T_π (§3.3–3.4). */
export function contraction(random: Random): Demonstration {
  const worst = { optimality: new Float64Array(backups + 1), policy: new Float64Array(backups + 1) };
  const mean = { optimality: new Float64Array(backups + 1), policy: new Float64Array(backups + 1) };
  for (let i = 0; i < problems; i++) {
    const problem = endless(random);
    const logPi = randomPolicy(random, 3, 20);
    for (let pair = 0; pair < pairs; pair++) {
      let q: [QValues, QValues] = [qValues(draws(random, 60, -2, 2)), qValues(new Float64Array(60))];
      q = [q[0], qValues(other(q[0], pair, random))];
      let v: [StateValues, StateValues] = [
        stateValues(draws(random, 20, -2, 2)),
        stateValues(new Float64Array(20)),
      ];
      v = [v[0], stateValues(other(v[0], pair, random))];
      const start = [distance(...q), distance(...v)];
      for (let n = 0; n <= backups; n++) {
        const left = [distance(...q) / start[0], distance(...v) / start[1]];
        worst.optimality[n] = Math.max(worst.optimality[n], left[0]);
        worst.policy[n] = Math.max(worst.policy[n], left[1]);
        // Shifted starts shrink by exactly γ; average only over the others.
        if (pair > 0) {
          mean.optimality[n] += left[0] / (problems * (pairs - 1));
          mean.policy[n] += left[1] / (problems * (pairs - 1));
        }
        q = [optimalityBackup(problem, q[0]), optimalityBackup(problem, q[1])];
        v = [policyBackup(problem, logPi, v[0]), policyBackup(problem, logPi, v[1])];
      }
    }
  }
  const excess = (ratios: Float64Array) => Math.max(...ratios.map((x, n) => x / gamma ** n - 1));
  const points = (ratios: Float64Array) => Array.from(ratios, (y, n) => [n, y] as const);
  return {
    name: "contraction",
    title: "Every backup is a contraction by γ",
    section: "§3.3–3.4",
    equation: "‖Tⁿ Q − Tⁿ Q′‖∞ ≤ γⁿ ‖Q − Q′‖∞, and the same for T_π",
    prose: [
      "A backup T turns an estimate of the action values into a better one: the immediate reward plus γ times the old estimate of what follows.",
      `Take two different estimates and back up both of them n times. Each backup multiplies their largest difference by γ or less. Here γ = ${gamma}. The dashed line is γⁿ; the coloured lines are measured on ${problems} random problems, with ${pairs} pairs of estimates each.`,
      "The worst pair lies on the dashed line, no pair lies above it, and the average pair is far below. So repeating T converges to the same values from every start, at least as fast as γⁿ.",
    ],
    x: { label: "backups n", scale: "linear" },
    y: { label: "remaining distance, relative to the first", scale: "log" },
    series: [
      { name: "T, worst pair", kind: "measured", points: points(worst.optimality) },
      { name: "T, average", kind: "measured", points: points(mean.optimality) },
      { name: "T_π, average", kind: "measured", points: points(mean.policy) },
      {
        name: "γⁿ",
        kind: "theory",
        points: points(Float64Array.from({ length: backups + 1 }, (_, n) => gamma ** n)),
      },
    ],
    facts: [
      atMost("largest ratio/γⁿ − 1 for Tⁿ", excess(worst.optimality), 1e-12),
      atMost("largest ratio/γⁿ − 1 for T_πⁿ", excess(worst.policy), 1e-12),
      atLeast(
        "largest ratio/γⁿ for Tⁿ at n = 20: the bound is tight",
        worst.optimality[20] / gamma ** 20,
        0.999,
      ),
    ],
  };
}

/** The contraction factor of T_π^λ: γ(1 − λ)/(1 − γλ) (§3.4). */
export function lambdaContraction(random: Random): Demonstration {
  const lambdas = Array.from({ length: 21 }, (_, i) => i / 20);
  const modulus = (lambda: number) => (gamma * (1 - lambda)) / (1 - gamma * lambda);
  const worst = new Float64Array(lambdas.length);
  const mean = new Float64Array(lambdas.length);
  for (let i = 0; i < problems; i++) {
    const problem = endless(random);
    const logPi = randomPolicy(random, 3, 20);
    for (let pair = 0; pair < pairs; pair++) {
      const v = stateValues(draws(random, 20, -2, 2));
      const w = stateValues(other(v, pair, random));
      lambdas.forEach((lambda, at) => {
        const left =
          distance(lambdaBackup(problem, logPi, v, lambda), lambdaBackup(problem, logPi, w, lambda)) /
          distance(v, w);
        worst[at] = Math.max(worst[at], left);
        if (pair > 0) mean[at] += left / (problems * (pairs - 1));
      });
    }
  }
  return {
    name: "lambda",
    title: "Longer backups contract faster",
    section: "§3.4",
    equation: "‖T_π^λ V − T_π^λ V′‖∞ ≤ γ(1 − λ)/(1 − γλ) · ‖V − V′‖∞",
    prose: [
      "T_π^λ averages backups of one step, two steps and so on. λ sets the weight of the long ones: λ = 0 is a single step, and λ = 1 looks ahead without limit.",
      "One such backup multiplies the distance between two estimates by at most γ(1 − λ)/(1 − γλ), which falls from γ at λ = 0 to zero at λ = 1. The price is not visible here: when a long backup is estimated from samples, it has more variance, and these numbers are exact.",
    ],
    x: { label: "λ", scale: "linear" },
    y: { label: "remaining distance after one backup", scale: "linear" },
    series: [
      { name: "worst pair", kind: "measured", points: lambdas.map((x, i) => [x, worst[i]]) },
      { name: "average pair", kind: "measured", points: lambdas.map((x, i) => [x, mean[i]]) },
      { name: "γ(1 − λ)/(1 − γλ)", kind: "theory", points: lambdas.map((x) => [x, modulus(x)]) },
    ],
    facts: [
      atMost(
        "largest ratio minus the bound",
        Math.max(...lambdas.map((x, i) => worst[i] - modulus(x))),
        1e-12,
      ),
      atLeast(
        "largest ratio divided by the bound, smallest over λ < 1",
        Math.min(...lambdas.slice(0, -1).map((x, i) => worst[i] / modulus(x))),
        0.999,
      ),
    ],
  };
}
