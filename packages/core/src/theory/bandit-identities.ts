import { exp } from "../math/logspace.js";
import { logPrior, qValues, stateValues } from "../math/units.js";
import type { Bandit } from "../mdp/bandit.js";
import { firstOrderResidual, largest, relative, relativeDifference } from "../mdp/residual.js";
import type { Buffer } from "../tensor/executor.js";
import { gradient } from "../tensor/gradient.js";
import { constant, exp as expTensor, input, logSoftmax, mul, sub, sum } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import { createReferenceExecutor } from "../tensor/reference-executor.js";
import type { Tensor } from "../tensor/tensor.js";
import { draws, priors, randomPolicy, temperatures } from "./cases.js";
import type { Formulas } from "./formulas.js";
import { type Identity, slopeBound } from "./identity.js";

const actions = 5;

/** One bandit for every combination of temperature and kind of reference measure. */
function bandits(random: Parameters<Identity["residual"]>[1]): Bandit[] {
  return temperatures.flatMap((tau) =>
    priors(random, actions).map((prior) => ({
      rewards: draws(random, actions, -1, 1),
      logPrior: prior,
      tau,
    })),
  );
}

/** The identities of §2 and of the Boltzmann policy (§3.2). */
export const banditIdentities: readonly Identity[] = [
  {
    identity: "the Boltzmann policy of the rewards is stationary for η",
    equation: "(2)",
    bound: 1e-12,
    residual(formulas, random) {
      let worst = 0;
      for (const bandit of bandits(random)) {
        const slope = objectiveGradient(bandit, formulas.banditOptimum(bandit));
        worst = Math.max(worst, relative(largest(slope), largest(bandit.rewards)));
      }
      return worst;
    },
  },
  {
    identity: "E_π[r] − τ KL[π‖π̄] = τ log E_π̄ exp(r/τ) − τ KL[π‖π_Boltzmann]",
    equation: "(6)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const bandit of bandits(random)) {
        const logPi = randomPolicy(random, actions);
        const { rewards, tau } = bandit;
        const spelledOut = logPi.reduce(
          (total, logP, a) => total + exp(logP) * (rewards[a] - tau * (logP - bandit.logPrior[a])),
          0,
        );
        const optimum = logPrior(formulas.boltzmannPolicy(qValues(rewards), bandit.logPrior, tau));
        left.push(spelledOut, formulas.banditObjective(bandit, logPi));
        right.push(
          formulas.softValue(qValues(rewards), bandit.logPrior, tau) -
            tau * formulas.klDivergence(logPi, optimum),
          formulas.banditObjectiveFromOptimum(bandit, logPi),
        );
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "∂η/∂θ_b = π(b)(r̄(b) − τ log(π(b)/π̄(b)) − η) is the traced gradient of η",
    equation: "(1)",
    bound: 1e-12,
    residual(formulas, random) {
      let worst = 0;
      for (const bandit of bandits(random)) {
        const logPi = randomPolicy(random, actions);
        const traced = objectiveGradient(bandit, logPi);
        worst = Math.max(worst, relativeDifference(formulas.banditGradient(bandit, logPi), traced));
      }
      return worst;
    },
  },
  {
    identity: "V_Q − max Q = τ log π̄(argmax Q) as τ → 0: first order in τ",
    equation: "§3.2",
    bound: slopeBound,
    residual(formulas, random) {
      const rewards = qValues(draws(random, actions, -1, 1));
      const prior = logPrior(draws(random, actions, -2, -0.5));
      const taus = [1e-5, 1e-6, 1e-7];
      const hard = rewards.reduce((high, q) => Math.max(high, q), Number.NEGATIVE_INFINITY);
      const errors = taus.map((tau) => Math.abs(formulas.softValue(rewards, prior, tau) - hard));
      return firstOrderResidual(taus, errors);
    },
  },
  {
    identity: "V_Q = E_π[Q] − τ KL for π = π_Q",
    equation: "(13)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const { rewards, logPrior: prior, tau } of bandits(random)) {
        const logPi = formulas.boltzmannPolicy(qValues(rewards), prior, tau);
        left.push(formulas.softValue(qValues(rewards), prior, tau));
        right.push(
          logPi.reduce((total, logP, a) => total + exp(logP) * (rewards[a] - tau * (logP - prior[a])), 0),
        );
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "π_Q is a distribution, and Q = V_Q + τ log(π_Q/π̄)",
    equation: "(57)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const { rewards: q, logPrior: prior, tau } of bandits(random)) {
        const logPi = formulas.boltzmannPolicy(qValues(q), prior, tau);
        const v = formulas.softValue(qValues(q), prior, tau);
        left.push(...formulas.qFromPolicy(v, logPi, prior, tau), sumOfExp(logPi));
        right.push(...q, 1);
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "traced V_θ and π_θ equal the numeric ones, and Q_θ = V_θ + τ log(π_θ/π̄)",
    equation: "(57)",
    bound: 1e-12,
    residual(formulas, random) {
      const left: number[] = [];
      const right: number[] = [];
      for (const { rewards, logPrior: prior, tau } of bandits(random)) {
        const q = qValues(input("q", [1, actions]));
        const priorTensor = logPrior(constant(prior));
        const v = formulas.valueFromQ(q, priorTensor, tau);
        const logPi = formulas.policyFromQ(q, priorTensor, tau);
        const kl = formulas.klToPrior(logPi, priorTensor);
        const back = formulas.qFromValueAndPolicy(v, logPi, priorTensor, tau);
        const found = evaluate({ v, logPi, back, kl }, { q: rewards });
        const numeric = formulas.boltzmannPolicy(qValues(rewards), prior, tau);
        left.push(...found.v, ...found.logPi, ...found.back, ...found.kl);
        right.push(
          formulas.softValue(qValues(rewards), prior, tau),
          ...numeric,
          ...rewards,
          formulas.klDivergence(numeric, prior),
        );
      }
      return relativeDifference(left, right);
    },
  },
  {
    identity: "∇½E[(q_θ − r)²] = −τ ∇η(π_θ) + ∇½(v_θ − (r̄ − τ KL))²",
    equation: "(22–23)",
    bound: 1e-12,
    residual(formulas, random) {
      let worst = 0;
      for (const bandit of bandits(random)) {
        const theta = draws(random, actions, -1, 1);
        worst = Math.max(worst, relativeDifference(...banditGradients(formulas, bandit, theta)));
      }
      return worst;
    },
  },
];

/**
 * Both sides of (22–23) for q_θ = θ: a sum over actions weighted by π_θ held fixed, with r̄ as the reward.
 */
function banditGradients(
  formulas: Formulas,
  { rewards, logPrior: prior, tau }: Bandit,
  numbers: Float64Array,
): [Float64Array, Float64Array] {
  const theta = input("theta", [1, actions]);
  const priorTensor = logPrior(constant(prior));
  const logPi = formulas.policyFromQ(qValues(theta), priorTensor, tau);
  const v = formulas.valueFromQ(qValues(theta), priorTensor, tau);
  const kl = formulas.klToPrior(logPi, priorTensor);
  const outputs: Record<string, Tensor> = { logPi, kl };
  for (let a = 0; a < actions; a++) {
    const loss = formulas.softQLoss({
      q: qValues(theta),
      actions: constant([a]),
      targets: qValues(constant([rewards[a]])),
    });
    outputs[`action ${a}`] = gradient(loss, [theta])[0];
  }
  const eta = sub(sum(mul(expTensor(logPi), constant(rewards))), mul(tau, sum(kl)));
  outputs.eta = gradient(eta, [theta])[0];
  const target = input("target", [1]);
  outputs.value = gradient(formulas.valueLoss({ v, targets: stateValues(target) }), [theta])[0];

  const first = evaluate(outputs, { theta: numbers, target: [0] });
  const pi = Float64Array.from(first.logPi, (logP) => exp(logP));
  const expectedReward = pi.reduce((total, p, a) => total + p * rewards[a], 0);
  const second = evaluate(outputs, { theta: numbers, target: [expectedReward - tau * first.kl[0]] });

  const left = new Float64Array(actions);
  for (let a = 0; a < actions; a++) {
    for (let b = 0; b < actions; b++) left[b] += pi[a] * first[`action ${a}`][b];
  }
  return [left, Float64Array.from(second.value, (slope, b) => slope - tau * second.eta[b])];
}

/** ∇η with respect to the logits of π, traced from the definition of η. */
function objectiveGradient(
  { rewards, logPrior: prior, tau }: Bandit,
  logPi: Float64Array,
): ArrayLike<number> {
  const preferences = input("preferences", [actions]);
  const traced = logSoftmax(preferences);
  const gain = sub(constant(rewards), mul(tau, sub(traced, constant(prior))));
  const eta = sum(mul(expTensor(traced), gain));
  return evaluate({ slope: gradient(eta, [preferences])[0] }, { preferences: logPi }).slope;
}

function sumOfExp(logPi: Float64Array): number {
  return logPi.reduce((total, logP) => total + exp(logP), 0);
}

/** Runs a traced program once in float64. */
function evaluate<Names extends string>(
  outputs: Readonly<Record<Names, Tensor>>,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): Record<Names, Buffer> {
  const { main } = createReferenceExecutor({ precision: "float64" }).load({
    main: program({ outputs }),
  }).programs;
  for (const [name, numbers] of Object.entries(inputs)) main.input(name).set(numbers);
  main.run();
  const found = {} as Record<Names, Buffer>;
  for (const name of Object.keys(outputs) as Names[]) found[name] = main.output(name);
  return found;
}
