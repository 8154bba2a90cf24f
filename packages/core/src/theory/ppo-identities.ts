/** PPO's surrogates (Schulman et al. 2017): their gradients at π_old and away from it, and the penalty as the bonus of §3.6. */
import type { Random } from "../base/random.js";
import { klToPrior } from "../losses/boltzmann.js";
import { clippedSurrogateLoss, penalisedSurrogateLoss, probabilityRatio } from "../losses/ppo.js";
import { exp } from "../math/logspace.js";
import { type LogProbabilities, logPrior, logProbabilities, qValues } from "../math/units.js";
import { largest, relative, relativeDifference } from "../mdp/residual.js";
import { gradient } from "../tensor/gradient.js";
import { add, constant, logSoftmax, mean, minimum, mul, neg, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Tensor } from "../tensor/tensor.js";
import { draws, priors, randomPolicy, temperatures } from "./cases.js";
import type { Identity } from "./identity.js";
import type { Mutant } from "./mutant.js";

const states = 4;
const actions = 3;
const clipRange = 0.2;

/** Every action of every state once: row s · A + a. */
const rows = states * actions;
const everyAction = constant(Float64Array.from({ length: rows }, (_, row) => row % actions));

/** Policies as logits [S, A], of which each state's row stands A times, once for each action. */
interface Case {
  /** log π_old [S, A]. */
  readonly old: LogProbabilities;
  /** log π_θ [S, A]. */
  readonly now: LogProbabilities;
  /** Δ [S · A]. */
  readonly advantages: Float64Array;
}

function drawnCase(random: Random): Case {
  return {
    old: randomPolicy(random, actions, states),
    now: randomPolicy(random, actions, states),
    advantages: draws(random, rows, -1, 1),
  };
}

/** [S · A, A] The row of each state, A times. */
const repeated = (logPi: Float64Array) =>
  Float64Array.from({ length: rows * actions }, (_, i) => {
    const s = Math.floor(i / (actions * actions));
    return logPi[s * actions + (i % actions)];
  });

/** ∂/∂z of a loss of log π = log softmax z, at z = log π: a gradient [S · A, A] by sample. */
function slopes(logPi: LogProbabilities, loss: (logPi: LogProbabilities<Tensor>) => Tensor): Float64Array {
  const z = state("z", [rows, actions]);
  const [slope] = gradient(loss(logProbabilities(logSoftmax(z))), [z]);
  const session = createReferenceExecutor().load({ main: program({ outputs: { slope } }) });
  session.state(z).set(repeated(logPi));
  session.programs.main.run();
  return Float64Array.from(session.programs.main.output("slope"));
}

/** The gradient [S, A] of the logits of each state: its samples' gradients, summed. */
function byState(bySample: Float64Array): Float64Array {
  const sums = new Float64Array(states * actions);
  bySample.forEach((x, i) => {
    sums[Math.floor(i / (actions * actions)) * actions + (i % actions)] += x;
  });
  return sums;
}

/** Δ(s, a) · A · π(a|s): the mean over every action once is then the expectation over a ~ π. */
const expected = (advantages: Float64Array, logPi: LogProbabilities) =>
  constant(advantages.map((delta, row) => delta * actions * exp(logPi[row])));

const oldOf = (logPi: LogProbabilities) => logProbabilities(constant(repeated(logPi), [rows, actions]));

/** PPO's identities. */
export const ppoIdentities: readonly Identity[] = [
  {
    identity: "PPO's first step is the policy gradient: at π = π_old, ∇(clipped surrogate + τ KL) = ∇A2C",
    equation: "§3.6, (7) of PPO",
    bound: 1e-12,
    residual(formulas, random) {
      const { old, advantages: delta } = drawnCase(random);
      const tau = temperatures[random.integer(temperatures.length)];
      const prior = logPrior(constant(priors(random, actions)[random.integer(3)]));
      const advantages = constant(delta);
      const terms = { oldLogPi: oldOf(old), actions: everyAction, advantages, clipRange };
      const surrogate = slopes(old, (logPi) =>
        add(
          formulas.clippedSurrogateLoss({ ...terms, logPi }),
          mul(tau, mean(formulas.klToPrior(logPi, prior))),
        ),
      );
      const policyGradient = slopes(old, (logPi) =>
        formulas.policyGradientLoss({ logPi, logPrior: prior, actions: everyAction, advantages, tau }),
      );
      return relativeDifference(surrogate, policyGradient);
    },
  },
  {
    identity: "∇ of PPO's clipped surrogate: −ρ Δ ∇log π, and 0 once ρ has moved by ε in the direction of Δ",
    equation: "(7) of PPO",
    bound: 1e-12,
    residual(formulas, random) {
      const { old, now, advantages } = drawnCase(random);
      const terms = {
        oldLogPi: oldOf(old),
        actions: everyAction,
        advantages: constant(advantages),
        clipRange,
      };
      const traced = slopes(now, (logPi) => formulas.clippedSurrogateLoss({ ...terms, logPi }));
      const plain = new Float64Array(rows * actions);
      advantages.forEach((delta, row) => {
        const ratio = exp(now[row] - old[row]);
        const isFree = delta > 0 ? ratio < 1 + clipRange : ratio > 1 - clipRange;
        const first = row - (row % actions);
        for (let k = 0; k < actions && isFree; k++) {
          const score = (k === row % actions ? 1 : 0) - exp(now[first + k]);
          plain[row * actions + k] = (-ratio * delta * score) / rows;
        }
      });
      return relativeDifference(traced, plain);
    },
  },
  {
    identity:
      "PPO's penalised surrogate over a ~ π_old = the soft policy gradient over a ~ π_θ with π̄ = π_old, τ = β",
    equation: "§3.6, (8) of PPO",
    bound: 1e-12,
    residual(formulas, random) {
      const { old, now, advantages } = drawnCase(random);
      const penalty = temperatures[random.integer(temperatures.length)];
      const oldLogPi = oldOf(old);
      const penalised = slopes(now, (logPi) =>
        formulas.penalisedSurrogateLoss({
          logPi,
          oldLogPi,
          actions: everyAction,
          advantages: expected(advantages, old),
          penalty,
        }),
      );
      const soft = slopes(now, (logPi) =>
        formulas.policyGradientLoss({
          logPi,
          logPrior: logPrior(oldLogPi),
          actions: everyAction,
          advantages: expected(advantages, now),
          tau: penalty,
        }),
      );
      return relativeDifference(byState(penalised), byState(soft));
    },
  },
  {
    identity:
      "PPO's penalised surrogate is stationary at π = π_old exp(Δ/β) / Z, the Boltzmann policy of π̄ = π_old",
    equation: "(2), (8) of PPO",
    bound: 1e-12,
    residual(formulas, random) {
      const { old, advantages } = drawnCase(random);
      const penalty = temperatures[random.integer(temperatures.length)];
      const best = logProbabilities(new Float64Array(states * actions));
      for (let s = 0; s < states; s++) {
        const row = <Numbers extends Float64Array>(x: Numbers) => x.slice(s * actions, (s + 1) * actions);
        best.set(
          formulas.boltzmannPolicy(qValues(row(advantages)), logPrior(row(old)), penalty),
          s * actions,
        );
      }
      const terms = { oldLogPi: oldOf(old), actions: everyAction, advantages: expected(advantages, old) };
      const slope = (logPi: LogProbabilities) =>
        byState(
          slopes(logPi, (traced) => formulas.penalisedSurrogateLoss({ ...terms, logPi: traced, penalty })),
        );
      return relative(largest(slope(best)), largest(slope(old)));
    },
  },
];

/** Mistakes that are easy to make in PPO. */
export const ppoMutants: readonly Mutant[] = [
  {
    mutant: "max for min in PPO",
    mistake: "The clipped surrogate takes the larger of ρ Δ and clip(ρ) Δ.",
    replaces: {
      clippedSurrogateLoss: (terms) =>
        neg(clippedSurrogateLoss({ ...terms, advantages: neg(terms.advantages) })),
    },
  },
  {
    mutant: "PPO clips on the wrong side",
    mistake: "The ratio of an action with Δ < 0 is clipped above 1 + ε instead of below 1 − ε.",
    replaces: {
      clippedSurrogateLoss: (terms) =>
        neg(mean(mul(minimum(probabilityRatio(terms), add(1, terms.clipRange)), terms.advantages))),
    },
  },
  {
    mutant: "PPO's ratio inverted",
    mistake: "ρ is π_old/π_θ.",
    replaces: {
      clippedSurrogateLoss: (terms) =>
        clippedSurrogateLoss({ ...terms, logPi: terms.oldLogPi, oldLogPi: terms.logPi }),
    },
  },
  {
    mutant: "PPO's penalty reversed",
    mistake: "The penalty is KL[π_old ‖ π_θ] instead of KL[π_θ ‖ π_old].",
    replaces: {
      penalisedSurrogateLoss: (terms) =>
        add(
          penalisedSurrogateLoss({ ...terms, penalty: 0 }),
          mul(terms.penalty, mean(klToPrior(terms.oldLogPi, logPrior(terms.logPi)))),
        ),
    },
  },
];
