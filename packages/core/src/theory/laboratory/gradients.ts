import type { Random } from "../../base/random.js";
import { curvedPolicy, dampedSoftQStep, naturalGradient } from "../../mdp/natural-gradient.js";
import { occupancy, visitsOf } from "../../mdp/occupancy.js";
import {
  expectedSoftQTargets,
  nStepAdvantages,
  policyAdvantages,
  policyGradient,
  softQGradient,
  valueGradient,
} from "../../mdp/policy-gradient.js";
import { largest, logLogSlope, relativeDifference } from "../../mdp/residual.js";
import {
  policySampleGradient,
  softQSampleGradient,
  valueSampleGradient,
} from "../../mdp/sample-gradients.js";
import { linearQ } from "../../mdp/scores.js";
import { drawnProblem, draws } from "../cases.js";
import { atLeast, atMost, type Demonstration, near } from "./demonstration.js";

const problems = 30;

/** Both sides of the theorem (§4), parameter by parameter: in expectation, and for single actions. */
export function gradientRoutes(random: Random): Demonstration {
  const expected: [number, number][] = [];
  const single: [number, number][] = [];
  let worst = 0;
  let worstSingle = 0;
  for (let i = 0; i < problems; i++) {
    const { problem, features, theta } = drawnProblem(random);
    const { tau, mdp } = problem;
    const model = linearQ(problem, features, theta);
    const { logPi, scores } = model;
    const weights = occupancy(problem, logPi);
    const advantages = nStepAdvantages(problem, logPi, model.v, 3);
    const targets = expectedSoftQTargets(problem, model, advantages);
    const ascent = policyGradient({ problem, logPi, scores, weights, advantages });
    const fit = valueGradient(problem, model, weights, advantages);
    const left = softQGradient({ problem, model, weights, targets });
    const right = fit.map((x, k) => x - tau * ascent[k]);
    worst = Math.max(worst, relativeDifference(left, right));
    const scale = largest(left);
    left.forEach((y, k) => {
      expected.push([right[k] / scale, y / scale]);
    });

    // One action of state 0, as a sample.
    const row = random.integer(mdp.actions);
    const softQ = softQSampleGradient(problem, model, row, targets[row]);
    const rise = policySampleGradient(problem, model, row, advantages[row]);
    const route = valueSampleGradient(problem, model, row, advantages[row]).map((x, k) => x - tau * rise[k]);
    const size = Math.max(largest(softQ), largest(route));
    softQ.forEach((y, k) => {
      single.push([route[k] / size, y / size]);
    });
    worstSingle = Math.max(worstSingle, relativeDifference(softQ, route));
  }
  return {
    name: "gradients",
    title: "Soft Q-learning and policy gradients move the parameters in the same direction",
    section: "§4",
    equation: "∇E[½(Q_θ − y)²] = −τ · (policy gradient with KL) + ∇E[½(V_θ − V̂)²]",
    prose: [
      "This is the main theorem of the paper. Soft Q-learning fits action values Q to targets. A policy-gradient method makes good actions more likely, and fits state values V separately. They look like two different algorithms.",
      `Each vermilion ring is one parameter of one of ${problems} random problems. Its x coordinate is the value gradient minus τ times the policy gradient; its y coordinate is the gradient of soft Q-learning. In expectation over the actions of the policy the two are equal, so all these rings lie on the diagonal.`,
      "The blue rings use a single action instead of the expectation. There the two gradients differ, by noise with mean zero.",
    ],
    x: { label: "value gradient − τ · policy gradient, scaled", scale: "linear" },
    y: { label: "soft-Q gradient, scaled", scale: "linear" },
    series: [
      {
        name: "equal",
        kind: "theory",
        points: [
          [-1, -1],
          [1, 1],
        ],
      },
      { name: "single action", kind: "cloud", points: single },
      { name: "expectation over actions", kind: "cloud", points: expected },
    ],
    facts: [
      atMost("largest relative difference, expectation over actions", worst, 1e-12),
      atLeast("largest relative difference, single action", worstSingle, 0.1),
    ],
  };
}

/** Damped soft Q-fitting against the natural gradient (§5), as the step shrinks. */
export function naturalGradientStep(random: Random): Demonstration {
  const sizes = Array.from({ length: 10 }, (_, i) => 10 ** (-1 - i / 3));
  const tau = 0.3;
  const series: [number, number][][] = [];
  const slopes: number[] = [];
  for (let i = 0; i < 3; i++) {
    const drawn = drawnProblem(random);
    const problem = { ...drawn.problem, tau };
    const { features, theta } = drawn;
    const bend = draws(random, features.rows.length, -0.5, 0.5);
    const policy = (at: Float64Array) => curvedPolicy(problem, features, bend, at);
    const { logPi, scores } = policy(theta);
    const weights = occupancy(problem, logPi);
    const visits = visitsOf(problem, logPi, weights);
    const advantages = policyAdvantages(problem, logPi);
    const natural = naturalGradient(
      scores,
      visits,
      policyGradient({ problem, logPi, scores, weights, advantages }),
    );
    const errors = sizes.map((epsilon) => {
      const step = dampedSoftQStep({ problem, policy, theta, visits, advantages, epsilon });
      return relativeDifference(
        step.map((x) => (tau / epsilon) * x),
        natural,
      );
    });
    series.push(sizes.map((epsilon, k) => [epsilon, errors[k]]));
    const small = sizes
      .map((epsilon, k) => ({ epsilon, error: errors[k] }))
      .filter(({ epsilon }) => epsilon < 0.0011);
    slopes.push(
      logLogSlope(
        small.map(({ epsilon }) => epsilon),
        small.map(({ error }) => error),
      ),
    );
  }
  const last = series[0][series[0].length - 1];
  return {
    name: "natural-gradient",
    title: "A small soft-Q fit is a natural-gradient step",
    section: "§5, (66), (71)",
    equation: "Q̂ = (1 − ε) Q_old + ε y, V held:  θ′ − θ = (ε/τ) F⁻¹ g + O(ε²)",
    prose: [
      "The natural gradient measures the length of a step by how much the policy changes, not by how much the parameters change. It is F⁻¹ g, where g is the policy gradient and F the Fisher matrix, with one row and one column per parameter.",
      "Soft Q-learning takes such a step without computing F. Move the targets only a fraction ε of the way from Q_old to y and fit Q to them: the parameters then move by ε/τ times the natural gradient, up to an error of order ε². The figure shows three random problems whose policies, like networks, are nonlinear in their parameters. The relative difference is proportional to ε, a line of slope 1.",
    ],
    x: { label: "ε, the fraction of the way to the targets", scale: "log" },
    y: { label: "relative difference between the two steps", scale: "log" },
    series: [
      ...series.map((points, i) => ({ name: `problem ${i + 1}`, kind: "measured" as const, points })),
      {
        name: "proportional to ε",
        kind: "theory",
        points: sizes.map((epsilon) => [epsilon, (epsilon * last[1]) / last[0]]),
      },
    ],
    facts: slopes.map((slope, i) => near(`slope for ε ≤ 0.001, problem ${i + 1}`, slope, 1, 0.05)),
  };
}
