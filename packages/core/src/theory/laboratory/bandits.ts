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

/** The objective of a bandit along a path of policies through the optimum, in both forms (2), (6). */
export function banditIdentity(): Demonstration {
  const problem = bandit({ rewards: [1, 0.6, 0.1, -0.5], prior: [0.1, 0.2, 0.3, 0.4], tau: 0.5 });
  const { rewards, tau } = problem;
  const best = softValue(qValues(rewards), problem.logPrior, tau);
  const steps = Array.from({ length: 61 }, (_, i) => i / 20);
  // π ∝ π̄ exp(x r̄/τ): π̄ itself at x = 0, the optimum at x = 1, and greedier policies beyond.
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
    title: "The best policy trades reward against the distance from π̄",
    section: "§2, (1), (2), (6)",
    equation: "η(π) = E_π[r] − τ KL[π‖π̄] = τ log E_π̄[exp(r/τ)] − τ KL[π‖π*],  π* ∝ π̄ exp(r/τ)",
    prose: [
      `The smallest problem is a bandit: one choice among four actions with known rewards. Here the reference policy π̄ prefers the bad actions, and the temperature τ = ${tau} is the price of differing from it.`,
      "The x axis follows the policies π ∝ π̄ exp(x r/τ), from π̄ at x = 0 to ever greedier ones. The expected reward keeps increasing, but the objective η subtracts the price τ KL. It has its maximum at x = 1, which is π*, and the maximum is exactly τ log E_π̄[exp(r/τ)], the dashed line.",
      "The dots show the right side of the equation: the maximum minus τ times the KL divergence from π to π*. They lie on the curve of η, the left side.",
    ],
    x: { label: "x of the policy π ∝ π̄ exp(x r/τ)", scale: "linear" },
    y: { label: "reward", scale: "linear" },
    series: [
      { name: "E_π[r]", kind: "measured", points: along.map(({ x, reward }) => [x, reward]) },
      { name: "η(π)", kind: "measured", points: along.map(({ x, objective }) => [x, objective]) },
      {
        name: "max η − τ KL[π‖π*]",
        kind: "cloud",
        points: along.filter((_, i) => i % 5 === 0).map(({ x, fromOptimum }) => [x, fromOptimum]),
      },
      { name: "τ log E_π̄[exp(r/τ)]", kind: "theory", points: steps.map((x) => [x, best]) },
    ],
    facts: [
      atMost(
        "largest difference between the two sides of (6)",
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
        "largest η of the other policies on the path, minus η(π*)",
        Math.max(...along.filter(({ x }) => x !== 1).map(({ objective }) => objective - best)),
        0,
      ),
    ],
  };
}
