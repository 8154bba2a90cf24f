import type { Random } from "../base/random.js";
import { matrixVectorProduct } from "../math/linear-algebra.js";
import { expm1, logSoftmaxInto } from "../math/logspace.js";
import { type LogProbabilities, logProbabilities } from "../math/units.js";
import { curvedPolicy, logLinearPolicy } from "../mdp/natural-gradient.js";
import { visitsOf } from "../mdp/occupancy.js";
import { boltzmannPolicies } from "../mdp/operators.js";
import { firstOrderResidual, largest, relativeDifference } from "../mdp/residual.js";
import { type Derivatives, tabularFeatures } from "../mdp/scores.js";
import type { SoftMdp } from "../mdp/soft-mdp.js";
import { gradient } from "../tensor/gradient.js";
import { add, constant, input, logSoftmax, matmul, mul, reshape, sum } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Tensor } from "../tensor/tensor.js";
import { type DrawnProblem, drawnProblem, draws } from "./cases.js";
import type { Formulas } from "./formulas.js";
import { type Identity, slopeBound } from "./identity.js";

/** A random policy with the quantities of §5. */
interface NaturalCase extends DrawnProblem {
  readonly scores: Derivatives;
  readonly weights: Float64Array;
  /** [S, A] */
  readonly visits: Float64Array;
  readonly advantages: Float64Array;
  /** [P] the policy gradient for these weights and advantages. */
  readonly g: Float64Array;
}

function naturalCase(formulas: Formulas, random: Random, changes: Partial<SoftMdp> = {}): NaturalCase {
  const drawn = drawnProblem(random);
  const problem = { ...drawn.problem, ...changes };
  const { features, theta } = drawn;
  const logPi = logLinearPolicy(problem, features, theta);
  const scores = formulas.linearScores(features, logPi, problem.mdp.actions);
  const weights = formulas.occupancy(problem, logPi);
  const advantages = formulas.policyAdvantages(problem, logPi);
  return {
    problem,
    features,
    theta,
    logPi,
    scores,
    weights,
    visits: visitsOf(problem, logPi, weights),
    advantages,
    g: formulas.policyGradient({ problem, logPi, scores, weights, advantages }),
  };
}

/** The identities of §5. */
export const naturalGradientIdentities: readonly Identity[] = [
  {
    identity: "F = E[∇log π ∇log πᵀ] is the Hessian of KL[π_old‖π_θ], traced by differentiating twice",
    equation: "§5",
    bound: 1e-12,
    residual(formulas, random) {
      const drawn = naturalCase(formulas, random);
      return relativeDifference(formulas.fisherMatrix(drawn.scores, drawn.visits), tracedHessian(drawn));
    },
  },
  {
    identity: "F x without the matrix equals F times x",
    equation: "§5",
    bound: 1e-12,
    residual(formulas, random) {
      const { scores, visits } = naturalCase(formulas, random);
      const x = draws(random, scores.parameters, -1, 1);
      return relativeDifference(
        formulas.fisherVectorProduct(scores, visits, x),
        matrixVectorProduct(formulas.fisherMatrix(scores, visits), x),
      );
    },
  },
  {
    identity: "argmin ½‖Ψw − Δ‖² solves F w = g, without KL",
    equation: "(66)",
    bound: 1e-12,
    residual(formulas, random) {
      const { scores, visits, advantages, g } = naturalCase(formulas, random, { tau: 0 });
      const w = formulas.naturalGradientByLeastSquares(scores, visits, advantages);
      return relativeDifference(formulas.fisherVectorProduct(scores, visits, w), g);
    },
  },
  {
    identity: "argmin ½‖Ψw − (Δ − τ(log(π/π̄) − KL))‖² solves F w = g, with KL",
    equation: "(71)",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi, scores, visits, advantages, g } = naturalCase(formulas, random);
      const targets = formulas.regressionTargets(problem, logPi, advantages);
      const w = formulas.naturalGradientByLeastSquares(scores, visits, targets);
      return relativeDifference(formulas.fisherVectorProduct(scores, visits, w), g);
    },
  },
  {
    identity: "conjugate gradients with F x solve F w = g",
    equation: "§5",
    bound: 1e-12,
    residual(formulas, random) {
      const { scores, visits, g } = naturalCase(formulas, random);
      const { parameters } = scores;
      const options = { iterations: 4 * parameters };
      const w = formulas.naturalGradientByConjugateGradients(scores, visits, g, options);
      return relativeDifference(matrixVectorProduct(formulas.fisherMatrix(scores, visits), w), g);
    },
  },
  {
    identity: "the natural gradient does not depend on coordinates: F M w' = g for θ = Mθ'",
    equation: "§5",
    bound: 1e-12,
    residual(formulas, random) {
      const { scores, visits, g } = naturalCase(formulas, random);
      const P = scores.parameters;
      const m = draws(random, P * P, -0.3, 0.3).map((x, i) => x + (i % (P + 1) === 0 ? 1 : 0));
      const transposed = m.map((_, i) => m[(i % P) * P + Math.floor(i / P)]);
      // ψ' = Mᵀψ and g' = Mᵀg.
      const rows = scores.rows.slice();
      for (let at = 0; at < rows.length; at += P) {
        rows.set(matrixVectorProduct(transposed, scores.rows.slice(at, at + P)), at);
      }
      const other = formulas.naturalGradient(
        { parameters: P, rows },
        visits,
        matrixVectorProduct(transposed, g),
      );
      return relativeDifference(
        formulas.fisherVectorProduct(scores, visits, matrixVectorProduct(m, other)),
        g,
      );
    },
  },
  {
    identity: "for a table, a natural-gradient step of size 1/τ is soft policy iteration: π' = π_Q",
    equation: "(71), §3.2",
    bound: 1e-12,
    residual(formulas, random) {
      const { problem, logPi } = drawnProblem(random);
      const { states, actions } = problem.mdp;
      const scores = formulas.linearScores(tabularFeatures(states, actions), logPi, actions);
      const weights = formulas.occupancy(problem, logPi);
      const visits = visitsOf(problem, logPi, weights);
      const advantages = formulas.policyAdvantages(problem, logPi);
      // The regression is exact because every (s, a) has its own feature.
      const w = formulas.regressionTargets(problem, logPi, advantages);
      const g = formulas.policyGradient({ problem, logPi, scores, weights, advantages });
      const direction = relativeDifference(formulas.fisherVectorProduct(scores, visits, w), g);
      const stepped = normalised(
        problem,
        logPi.map((x, row) => x + w[row] / problem.tau),
      );
      const improved = boltzmannPolicies(problem, formulas.policyQ(problem, logPi));
      const going = (rows: Float64Array) => rows.slice(0, (states - 1) * actions);
      return Math.max(direction, relativeDifference(going(stepped), going(improved)));
    },
  },
  {
    identity: "KL[π_θ‖π_(θ+hx)] = ½h² xᵀF x: relative error of first order in h",
    equation: "§5",
    bound: slopeBound,
    residual(formulas, random) {
      const { problem, features, theta, scores, visits, logPi } = naturalCase(formulas, random);
      const directions = Array.from({ length: 6 }, () => draws(random, theta.length, -1, 1));
      const sizes = [1e-2, 3e-3, 1e-3];
      const errors = sizes.map((h) => {
        const deviations = directions.map((x) => {
          const moved = logLinearPolicy(
            problem,
            features,
            theta.map((t, k) => t + h * x[k]),
          );
          const quadratic = formulas
            .fisherVectorProduct(scores, visits, x)
            .reduce((sum, y, k) => sum + y * x[k], 0);
          return expectedDivergence(visits, logPi, moved) / (0.5 * h * h * quadratic) - 1;
        });
        return largest(deviations);
      });
      return firstOrderResidual(sizes, errors);
    },
  },
  {
    identity:
      "a damped soft-Q fit, Q̂ = (1 − ε)Q + εy with V held, is ε/τ F⁻¹g: relative error of first order in ε",
    equation: "§5",
    bound: slopeBound,
    residual(formulas, random) {
      const { problem, theta, ...drawn } = naturalCase(formulas, random);
      const curved = draws(random, drawn.features.rows.length, -1, 1);
      const policy = (at: Float64Array) => curvedPolicy(problem, drawn.features, curved, at);
      const { logPi, scores } = policy(theta);
      const weights = formulas.occupancy(problem, logPi);
      const visits = visitsOf(problem, logPi, weights);
      const advantages = formulas.policyAdvantages(problem, logPi);
      const g = formulas.policyGradient({ problem, logPi, scores, weights, advantages });
      const w = formulas.naturalGradient(scores, visits, g);
      const sizes = [1e-3, 1e-4, 1e-5].map((x) => (x * problem.tau) / largest(w));
      const errors = sizes.map((epsilon) => {
        const step = formulas.dampedSoftQStep({ problem, policy, theta, visits, advantages, epsilon });
        return largest(step.map((x, k) => (problem.tau / epsilon) * x - w[k])) / largest(w);
      });
      return firstOrderResidual(sizes, errors);
    },
  },
];

/**
 * Σ visits (log π − log π') = E KL[π‖π'], computed as π(e^x − 1 − x) so that small divergences keep their
 * digits.
 */
function expectedDivergence(visits: Float64Array, logPi: LogProbabilities, moved: LogProbabilities): number {
  let sum = 0;
  for (let row = 0; row < visits.length; row++) {
    const x = moved[row] - logPi[row];
    sum += visits[row] * (expm1(x) - x);
  }
  return sum;
}

/** ∂² Σ visits (log π_old − log π_θ) / ∂θ², row by row. [P, P] */
function tracedHessian({ problem, features, theta, visits }: NaturalCase): Float64Array {
  const { states, actions } = problem.mdp;
  const P = theta.length;
  const parameters = input("theta", [P, 1]);
  const preferences = reshape(matmul(constant(features.rows, [states * actions, P]), parameters), [
    states,
    actions,
  ]);
  const logPi = logSoftmax(add(constant(problem.logPrior, [states, actions]), preferences));
  const divergence = sum(
    mul(
      constant(
        visits.map((x) => -x),
        [states, actions],
      ),
      logPi,
    ),
  );
  const slope = reshape(gradient(divergence, [parameters])[0], [P]);
  const outputs: Record<string, Tensor> = {};
  for (let k = 0; k < P; k++) {
    const along = sum(mul(slope, constant(theta.map((_, i) => (i === k ? 1 : 0)))));
    outputs[`row ${k}`] = gradient(along, [parameters])[0];
  }
  const { main } = createReferenceExecutor({ precision: "float64" }).load({
    main: program({ outputs }),
  }).programs;
  main.input("theta").set(theta);
  main.run();
  return Float64Array.from(Array.from({ length: P }, (_, k) => [...main.output(`row ${k}`)]).flat());
}

/** Adds a constant to each row so that its probabilities sum to one. */
function normalised({ mdp }: SoftMdp, preferences: Float64Array): LogProbabilities {
  const logPi = logProbabilities(preferences.slice());
  for (let s = 0; s < mdp.states; s++) logSoftmaxInto(logPi, logPi, s * mdp.actions, mdp.actions);
  return logPi;
}
