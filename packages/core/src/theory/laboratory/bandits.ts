import { softValue } from "../../math/boltzmann.js";
import { exp, logSoftmaxInto } from "../../math/logspace.js";
import { logProbabilities, qValues } from "../../math/units.js";
import {
  bandit,
  banditGradient,
  banditObjective,
  banditObjectiveFromOptimum,
  banditOptimum,
} from "../../mdp/bandit.js";
import { largest } from "../../mdp/residual.js";
import { atMost, type Demonstration } from "./demonstration.js";

/** A bandit's objective along a path of policies through the optimum, in both forms (2), (6). */
export function banditIdentity(): Demonstration {
  const problem = bandit({ rewards: [1, 0.6, 0.1, -0.5], prior: [0.1, 0.2, 0.3, 0.4], tau: 0.5 });
  const { rewards, tau } = problem;
  const best = softValue(qValues(rewards), problem.logPrior, tau);
  const steps = Array.from({ length: 61 }, (_, i) => i / 20);
  // π ∝ π̄ exp(x r̄/τ): π̄ itself at x = 0, the optimum at x = 1, greedier beyond.
  const along = steps.map((x) => {
    const logPi = logProbabilities(problem.logPrior.map((p, a) => p + (x * rewards[a]) / tau));
    logSoftmaxInto(logPi, logPi);
    const reward = logPi.reduce((sum, p, a) => sum + exp(p) * rewards[a], 0);
    return {
      x,
      reward,
      objective: banditObjective(problem, logPi),
      fromOptimum: banditObjectiveFromOptimum(problem, logPi),
    };
  });
  return {
    name: "bandit",
    title: "One choice: the best policy is neither shy nor greedy",
    section: "§2, (1), (2), (6)",
    equation: "η(π) = E_π[r] − τ KL[π‖π̄] = τ log E_π̄[exp(r/τ)] − τ KL[π‖π*],  π* ∝ π̄ exp(r/τ)",
    prose: [
      "The smallest problem of all: one choice among four actions with known rewards, a reference policy π̄ that likes the bad ones, and a price τ for being different from it.",
      "From left to right the policy goes from π̄ to greed. Its reward only rises. What counts is η, the reward less the price, which is highest at π* (x = 1), and there it is exactly τ log E_π̄[exp(r/τ)], the dashed line.",
      "The dots are the right side of the equation: the highest η there is, less τ times the distance to π*. They lie on the curve of the left side.",
    ],
    x: { label: "x of the policy π ∝ π̄ exp(x r/τ)", scale: "linear" },
    y: { label: "reward", scale: "linear" },
    series: [
      { name: "E_π[r]", kind: "measured", points: along.map(({ x, reward }) => [x, reward]) },
      { name: "η(π)", kind: "measured", points: along.map(({ x, objective }) => [x, objective]) },
      {
        name: "the highest η less τ KL[π‖π*]",
        kind: "cloud",
        points: along.filter((_, i) => i % 5 === 0).map(({ x, fromOptimum }) => [x, fromOptimum]),
      },
      { name: "τ log E_π̄[exp(r/τ)]", kind: "theory", points: steps.map((x) => [x, best]) },
    ],
    facts: [
      atMost(
        "largest difference of the two sides of (6)",
        Math.max(...along.map(({ objective, fromOptimum }) => Math.abs(objective - fromOptimum))),
        1e-12,
      ),
      atMost("largest |∂η/∂θ| at π* (2)", largest(banditGradient(problem, banditOptimum(problem))), 1e-12),
      atMost(
        "|η(π*) − τ log E_π̄[exp(r/τ)]|",
        Math.abs(banditObjective(problem, banditOptimum(problem)) - best),
        1e-12,
      ),
      atMost(
        "η of any other policy on the path less η(π*)",
        Math.max(...along.filter(({ x }) => x !== 1).map(({ objective }) => objective - best)),
        0,
      ),
    ],
  };
}
