/** Parts as someone outside softrl would write them: everything comes from the package's entry point. */
import {
  type Algorithm,
  type AlgorithmContext,
  actionCount,
  add,
  algorithmKind,
  Collector,
  type CurrentValues,
  constant,
  dense,
  type Environment,
  environmentKind,
  flatten,
  gather,
  hyperbolicTangent,
  input,
  integerSetting,
  klToPrior,
  type LogPrior,
  lambdaAdvantagesInto,
  liveSetting,
  logPrior,
  mean,
  mul,
  neg,
  networkKind,
  numberSetting,
  type OnStep,
  observationLength,
  onPolicyAlgorithm,
  onPolicySettings,
  optimiserKind,
  PolicyValueLearner,
  type PolicyValueModel,
  policyValueNetwork,
  type Random,
  type Snapshot,
  sequential,
  softTemporalDifferencesInto,
  square,
  stateValues,
  sub,
  tanh,
  valueTargetsInto,
  vectorize,
} from "softrl";

/** REINFORCE with a baseline: one file's worth of an algorithm. */
export const reinforce = onPolicyAlgorithm({
  name: "reinforce",
  title: "REINFORCE",
  about: "the policy gradient of whole returns, with V as the baseline",
  settings: {
    ...onPolicySettings,
    baselineRate: liveSetting({ about: "how fast the baseline follows", above: 0, default: 0.5 }),
  },
  targets(rollout, advantages, _settings, targets) {
    valueTargetsInto(rollout.values, advantages, stateValues(targets));
  },
  loss({ logPi, logPrior, v, actions, advantages, targets, tau, baselineRate }) {
    const surrogate = neg(mean(mul(gather(logPi, actions), advantages)));
    const bonus = mul(tau, mean(klToPrior(logPi, logPrior)));
    const baseline = mean(square(sub(v, targets)));
    const loss = add(add(surrogate, bonus), mul(baselineRate, baseline));
    return { loss, figures: { surrogate, baseline } };
  },
});

const lambdaSettings = {
  horizon: integerSetting({ about: "steps between two updates", low: 1, default: 8 }),
  lambda: numberSetting({ about: "the decay of the advantages", low: 0, high: 1, default: 0.9 }),
  tau: liveSetting({ about: "the temperature", above: 0, default: 0.01 }),
  gamma: liveSetting({ about: "the discount", low: 0, high: 1, default: 0.99 }),
};

/** An actor-critic with λ-returns that has its own loop: the full contract. */
export const lambdaActorCritic = algorithmKind({
  name: "lambda",
  title: "actor-critic with λ-returns",
  about: "an algorithm with its own loop",
  settings: lambdaSettings,
  defaults: () => ({ optimiser: { name: "adam", learningRate: 1e-3 } }),
  make: (context, settings) => new LambdaActorCritic(context, settings),
});

class LambdaActorCritic implements Algorithm {
  readonly #settings: CurrentValues<typeof lambdaSettings>;
  readonly #prior: LogPrior;
  readonly #collector: Collector;
  readonly #learner: PolicyValueLearner;
  readonly #network;
  #updates = 0;

  constructor(context: AlgorithmContext, settings: CurrentValues<typeof lambdaSettings>) {
    const { environment, body } = context;
    const { horizon } = settings;
    const { observationSpace, actionSpace } = environment;
    const actions = actionCount(actionSpace);
    const shape =
      observationSpace.kind === "box" ? observationSpace.shape : [observationLength(observationSpace)];
    const network = policyValueNetwork(body, shape, actions);
    const prior = logPrior(new Float64Array(actions));
    this.#settings = settings;
    this.#prior = prior;
    this.#network = network;
    this.#collector = new Collector(environment, horizon);
    this.#learner = new PolicyValueLearner({
      context,
      network,
      collector: this.#collector,
      form: () => ({ bodies: "shared", tau: settings.tau, logPrior: prior }),
      reusesActivations: true,
      traceLoss: ({ observations, logPi, v }) => {
        const vector = (name: string) => input(name, [observations.shape[0]]);
        const surrogate = neg(mean(mul(gather(logPi, vector("actions")), vector("advantages"))));
        const bonus = mul(input("tau", []), mean(klToPrior(logPi, logPrior(constant(prior)))));
        const fit = mean(square(sub(v, vector("targets"))));
        return { loss: add(add(surrogate, bonus), fit), figures: { surrogate, fit } };
      },
    });
  }

  get policy() {
    return this.#learner.policy;
  }

  get model(): PolicyValueModel {
    const { horizon, tau, gamma } = this.#settings;
    return {
      network: this.#network,
      theta: () => this.policy.theta(),
      logPrior: this.#prior,
      horizon,
      lambda: 1,
      valueCoefficient: 1,
      bonusInReturns: true,
      tau,
      gamma,
    };
  }

  async iterate(onStep: OnStep) {
    await this.#collector.collect(this.#learner, onStep);
    const { rollout } = this.#collector;
    const { tau, gamma, lambda } = this.#settings;
    const learner = this.#learner;
    const advantages = new Float64Array(rollout.rewards.length);
    softTemporalDifferencesInto(rollout, tau, gamma, advantages);
    lambdaAdvantagesInto(rollout, advantages, gamma, lambda, advantages);
    valueTargetsInto(rollout.values, advantages, stateValues(learner.input("targets")));
    learner.input("advantages").set(advantages);
    learner.input("actions").set(rollout.actions);
    learner.input("tau")[0] = tau;
    this.#updates++;
    return { steps: advantages.length, figures: learner.update() };
  }

  save(): Snapshot {
    return { updates: this.#updates, learner: this.#learner.save() };
  }

  restore(snapshot: Snapshot): void {
    const { updates, learner } = snapshot;
    if (typeof updates !== "number") throw new Error("not a snapshot of this algorithm");
    this.#learner.restore(learner as Snapshot);
    this.#updates = updates;
  }
}

/** One hidden layer with a width of its own. */
export const oneLayer = networkKind({
  name: "one-layer",
  about: "one hidden layer",
  settings: { width: integerSetting({ about: "its units", low: 1, default: 12 }) },
  body: ({ width }) => sequential(flatten, dense(width), hyperbolicTangent),
});

/** A step bounded by tanh: θ ← θ − lr tanh(s g). */
export const boundedStep = optimiserKind({
  name: "bounded",
  about: "a step whose elements are bounded by the learning rate",
  settings: { sharpness: numberSetting({ about: "s, how early it is bounded", above: 0, default: 20 }) },
  make: ({ sharpness }) => ({
    step: (theta, gradient, learningRate) => ({
      theta: sub(theta, mul(learningRate, tanh(mul(sharpness, gradient)))),
      states: [],
    }),
  }),
});

/** Cells 0…n − 1; the right end is worth 1 and ends the episode, each step costs 0.01. */
class Corridor implements Environment {
  readonly observationSpace;
  readonly actionSpace = { kind: "discrete", n: 2 } as const;
  readonly #length: number;
  #cell = 0;

  constructor(length: number) {
    this.#length = length;
    this.observationSpace = { kind: "box", shape: [length], dtype: "float32", low: 0, high: 1 } as const;
  }

  reset(random: Random, observation: Parameters<Environment["reset"]>[1]): void {
    this.#cell = random.integer(this.#length - 1);
    this.#observe(observation);
  }

  step(action: number, observation: Parameters<Environment["step"]>[1]) {
    this.#cell = Math.max(0, this.#cell + (action === 1 ? 1 : -1));
    const terminated = this.#cell === this.#length - 1;
    this.#observe(observation);
    return { reward: terminated ? 1 : -0.01, terminated, truncated: false };
  }

  save(): Snapshot {
    return { cell: this.#cell };
  }

  restore({ cell }: Snapshot): void {
    if (typeof cell !== "number") throw new Error("not a snapshot of a corridor");
    this.#cell = cell;
  }

  #observe(observation: Parameters<Environment["reset"]>[1]): void {
    observation.fill(0);
    observation[this.#cell] = 1;
  }
}

/** A corridor of any length, at most 50 steps. */
export const corridor = environmentKind({
  id: "Corridor-v0",
  about: "walk to the right end",
  options: { length: "number" },
  make: (size, { length = 6 }) =>
    vectorize("Corridor-v0", () => new Corridor(length), size, { maxEpisodeSteps: 50 }),
});
