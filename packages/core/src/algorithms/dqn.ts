import { describeValue, fail } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { linear, valueAt } from "../base/schedule.js";
import {
  type CurrentValues,
  choiceSetting,
  type EnvironmentFamily,
  flagSetting,
  integerSetting,
  liveSetting,
  numberSetting,
  type Setting,
} from "../base/settings.js";
import { type Snapshot, snapshotArray, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import type { OnStep } from "../data/collector.js";
import { Replay } from "../data/replay.js";
import type { EnvironmentRows } from "../envs/environment.js";
import { EnvironmentParts } from "../envs/environment-parts.js";
import { backups } from "../losses/q-learning.js";
import { mode, sampleCategorical } from "../math/categorical.js";
import { logProbabilities } from "../math/units.js";
import { qNetwork } from "../nn/heads.js";
import {
  type Algorithm,
  type AlgorithmContext,
  algorithmKind,
  type IterationReport,
  type SectionDefaults,
} from "./algorithm.js";
import { referencePolicy } from "./on-policy.js";
import { networkShapes, type Policy } from "./policy.js";
import { QLearner } from "./q-learner.js";

const dopamine = "Dopamine's dqn_nature";
const youngAndTian = "Young and Tian (2019)";
const zoo = "stable-baselines3's zoo, CartPole";
const bySource = `${zoo}; Atari: ${dopamine}; MinAtar: ${youngAndTian}`;

const settings = {
  backup: choiceSetting(backups, {
    about:
      "what a target bootstraps from: hard, max Q; soft-entropy, τ log Σ exp(Q/τ); soft-kl, τ log Σ π̄ exp(Q/τ) with the uniform π̄; munchausen, soft-entropy with α τ log π(a|s) added to the reward",
    default: "hard",
    source: "§6.2; Munchausen: Vieillard et al. (2020)",
  }),
  tau: liveSetting({
    about: "the temperature τ of the soft backups and of the Boltzmann policy, in units of reward per nat",
    above: 0,
    default: 0.1,
    source: "§6.2",
  }),
  munchausenWeight: numberSetting({
    about: "α, the weight of Munchausen's log-policy in the reward",
    low: 0,
    high: 1,
    default: 0.9,
    source: "Vieillard et al. (2020)",
  }),
  munchausenFloor: numberSetting({
    about: "l₀: Munchausen's τ log π(a|s) is raised to this number where it is below",
    high: 0,
    default: -1,
    source: "Vieillard et al. (2020)",
  }),
  double: flagSetting({
    about: "the online network chooses the action, or the policy, whose value the target network gives",
    default: false,
    source: "van Hasselt et al. (2016), who set it to true",
  }),
  dueling: flagSetting({
    about: "Q = V + (A − mean A) from a head for V and one for A",
    default: false,
    source: "Wang et al. (2016), who set it to true",
  }),
  gamma: liveSetting({
    about: "the discount γ of a reward one step later",
    low: 0,
    high: 1,
    default: 0.99,
    source: "Mnih et al. (2015)",
  }),
  returnSteps: integerSetting({
    about: "n of the n-step returns, without a correction for actions of older policies",
    option: "return-steps",
    low: 1,
    high: 1000,
    default: 1,
    source: "Mnih et al. (2015)",
  }),
  loss: choiceSetting(["huber", "squared"], {
    about: "the measure of an error δ: Huber's, whose gradient is clipped to ±1, or ½δ²",
    default: "huber",
    source: "Mnih et al. (2015)",
  }),
  batchSize: integerSetting({
    about: "transitions of an update",
    low: 1,
    high: 65536,
    defaults: { vector: 64, atari: 32 },
    source: bySource,
  }),
  trainEvery: integerSetting({
    about: "environment steps, all environments together, between two updates",
    low: 1,
    defaults: { vector: 2, atari: 4, minatar: 1 },
    source: bySource,
  }),
  replayCapacity: integerSetting({
    about: "observations that the replay holds at most, those of all environments together",
    low: 1,
    high: 100_000_000,
    defaults: { vector: 100_000, atari: 1_000_000, minatar: 100_000 },
    source: bySource,
  }),
  replayStart: integerSetting({
    about: "environment steps before the first update; an ε-greedy policy is uniform until then",
    low: 0,
    defaults: { vector: 1000, atari: 50_000, minatar: 5000 },
    source: bySource,
  }),
  replayFrames: choiceSetting(["whole", "stacked"], {
    about:
      "how the replay stores observations: whole, or each frame of a stack along the last axis once, which takes a quarter of the memory for four frames",
    defaults: { vector: "whole", atari: "stacked", minatar: "whole" },
    source: "Mnih et al. (2015)",
  }),
  replay: choiceSetting(["uniform", "prioritised"], {
    about: "how transitions are drawn: all alike, or in proportion to (|δ| + 10⁻⁶)^ω",
    default: "uniform",
    source: "Mnih et al. (2015)",
  }),
  priorityExponent: numberSetting({
    about: "ω, the exponent of the priorities",
    low: 0,
    high: 1,
    default: 0.6,
    source: "Schaul et al. (2016)",
  }),
  importanceExponent: liveSetting({
    about: "β, the exponent of the weights that correct for the priorities; 1 corrects fully",
    low: 0,
    high: 1,
    default: { from: 0.4, to: 1 },
    source: "Schaul et al. (2016)",
  }),
  targetEvery: integerSetting({
    about: "updates between two updates of the target network",
    low: 1,
    defaults: { vector: 128, atari: 2500, minatar: 1000 },
    source: `${bySource}; Dopamine's 10,000 steps are 2,500 updates`,
  }),
  targetRate: numberSetting({
    about: "ρ in θ̄ ← (1 − ρ) θ̄ + ρ θ: 1 copies the network, less is Polyak averaging",
    above: 0,
    high: 1,
    default: 1,
    source: "Mnih et al. (2015)",
  }),
  behaviour: choiceSetting(["epsilon-greedy", "boltzmann"], {
    about: "the policy that collects: ε-greedy (§6.2), or the Boltzmann policy of Q at τ",
    default: "epsilon-greedy",
    source: "§6.2",
  }),
  epsilon: liveSetting({
    about: "the share ε of uniform actions, once explorationSteps have passed",
    low: 0,
    high: 1,
    defaults: { vector: 0.04, atari: 0.1 },
    source: bySource,
  }),
  explorationSteps: integerSetting({
    about: "environment steps after replayStart in which ε falls linearly from 1",
    low: 0,
    defaults: { vector: 8000, atari: 1_000_000, minatar: 100_000 },
    source: bySource,
  }),
};

/** The optimiser, the network and the environments that fit: those of the settings' sources. */
function defaults(family: EnvironmentFamily): SectionDefaults {
  switch (family) {
    case "vector":
      return {
        environment: { count: 1 },
        network: { hiddenSizes: [256, 256], activation: "relu" },
        optimiser: { name: "adam", learningRate: { from: 1e-3, to: 0 }, maxGradientNorm: 10 },
      };
    case "table":
      return {
        environment: { count: 1 },
        network: { inputs: "unit", hiddenSizes: [] },
        optimiser: { name: "adam", learningRate: 0.02, maxGradientNorm: 10 },
      };
    case "minatar":
      return {
        environment: { count: 1 },
        optimiser: { ...centredRmsprop, epsilon: 0.01, epsilonPlace: "outside" },
      };
    case "atari":
      return { environment: { count: 4 }, optimiser: { ...centredRmsprop, epsilon: 1e-5 } };
  }
}

/** Neither source clips the gradient: Huber's loss bounds it. */
const centredRmsprop = {
  name: "rmsprop",
  learningRate: 2.5e-4,
  decay: 0.95,
  centred: true,
  maxGradientNorm: 1e6,
};

/** Vector steps of an iteration for each of the updates that it makes at least. */
const UPDATES_PER_ITERATION = 4;

/**
 * Deep Q-learning with a replay and a target network (Mnih et al. 2015; §6.2): fit Q_θ(s_t, a_t) to
 * y = Σ_{d<n} γ^d r_{t+d} + γ^n B(s_{t+n}). Hard and soft Q-learning differ in the backup B alone.
 */
export const dqn = algorithmKind({
  name: "dqn",
  title: "DQN",
  about: "Q-learning with replay and a target network: hard, soft and Munchausen backups",
  settings,
  defaults,
  make: (context, current) => new Dqn(context, current),
});

type Current = CurrentValues<typeof settings>;

class Dqn implements Algorithm {
  readonly #settings: Current;
  readonly #size: number;
  readonly #actionCount: number;
  readonly #parts: EnvironmentParts;
  /** [S/P] a_t of each part. */
  readonly #actions: readonly Int32Array[];
  readonly #replay: Replay;
  readonly #learner: QLearner;
  readonly #exploration: Random;
  readonly #sampling: Random;
  /** Steps of all environments in one iteration. */
  readonly #vectorSteps: number;
  /** Environment steps in the replay, all environments together, since the start. */
  #steps = 0;
  #updates = 0;
  #onStep: OnStep = () => {};
  /** Sums over the updates of an iteration, then their means; the same object each time. */
  readonly #figures: Record<string, number> = {};
  readonly #report: { steps: number; figures: Readonly<Record<string, number>> };
  readonly #visit = (t: number, p: number): void => this.#stepPart(t, p);

  constructor(context: AlgorithmContext, current: Current) {
    requireEffects(current);
    const { environment } = context;
    const { backup, behaviour, double, dueling, loss, replay } = current;
    const { observationShape, actions } = networkShapes(environment);
    const isSoft = backup !== "hard" || behaviour === "boltzmann";
    const prior = referencePolicy(backup === "soft-kl" ? "uniform" : "entropy", actions);
    this.#settings = current;
    this.#size = environment.size;
    this.#actionCount = actions;
    this.#parts = new EnvironmentParts(environment);
    const rows = environment.size / this.#parts.all.length;
    this.#actions = this.#parts.all.map(() => new Int32Array(rows));
    this.#replay = new Replay({
      capacity: current.replayCapacity,
      size: environment.size,
      observationSpace: environment.observationSpace,
      steps: current.returnSteps,
      frames: current.replayFrames,
      priorityExponent: replay === "prioritised" ? current.priorityExponent : null,
    });
    this.#exploration = context.streams.stream("exploration");
    this.#sampling = context.streams.stream("replay");
    this.#learner = new QLearner({
      context,
      network: qNetwork(context.body, observationShape, actions, { dueling }),
      rows,
      batchSize: current.batchSize,
      update: {
        backup,
        double,
        measure: loss,
        weighted: replay === "prioritised",
        logPrior: prior,
        munchausenWeight: current.munchausenWeight,
        munchausenFloor: current.munchausenFloor,
      },
      targetRate: current.targetRate,
      form: () => ({
        bodies: dueling ? "dueling-q" : "q",
        tau: isSoft ? current.tau : 0,
        logPrior: prior,
      }),
      tau: () => current.tau,
    });
    this.#vectorSteps = UPDATES_PER_ITERATION * Math.ceil(current.trainEvery / environment.size);
    this.#report = { steps: this.#vectorSteps * environment.size, figures: this.#figures };
  }

  get policy(): Policy {
    return this.#learner.policy;
  }

  /** Steps all environments a few times. The updates that are due are made while they step. */
  async iterate(onStep: OnStep): Promise<IterationReport> {
    const before = this.#updates;
    for (const name in this.#figures) this.#figures[name] = 0;
    this.#onStep = onStep;
    if (!this.#replay.begun) this.#begin();
    await this.#parts.forEachStep(this.#vectorSteps, this.#visit);
    const updates = this.#updates - before;
    if (updates === 0) return { steps: this.#report.steps, figures: {} };
    for (const name in this.#figures) this.#figures[name] /= updates;
    this.#figures.epsilon = this.#epsilon;
    return this.#report;
  }

  #begin(): void {
    const [{ observations }] = this.#parts.all;
    const all = this.#parts.all.length === 1 ? observations : joined(this.#parts.all);
    this.#replay.begin(all);
  }

  /** Records step t − 1 of part p and starts step t. */
  #stepPart(t: number, p: number): void {
    const part = this.#parts.all[p];
    const actions = this.#actions[p];
    if (t > 0) {
      this.#replay.add(actions, part, p * part.size);
      this.#onStep(t - 1, part, p * part.size);
    }
    // All parts act with one ε and one θ, so that the result does not depend on the parts.
    if (t > 0 && p === 0) this.#steps += this.#size;
    if (t < this.#vectorSteps) {
      this.#act(part, actions);
      this.#parts.step(p, actions);
    }
    if (p === this.#parts.all.length - 1) this.#learn();
  }

  /** ε of the present step: 1 up to `replayStart`, then linearly down to the setting. */
  get #epsilon(): number {
    const { behaviour, epsilon, replayStart, explorationSteps } = this.#settings;
    if (behaviour === "boltzmann") return 0;
    const passed = this.#steps - replayStart;
    return passed < 0 ? 1 : linear(1, epsilon, passed, explorationSteps);
  }

  #act({ observations }: EnvironmentRows, actions: Int32Array): void {
    const random = this.#exploration;
    const epsilon = this.#epsilon;
    const A = this.#actionCount;
    const { q, logPi } = this.#learner;
    if (epsilon < 1) this.#learner.evaluate(observations);
    const isBoltzmann = this.#settings.behaviour === "boltzmann";
    for (let i = 0; i < actions.length; i++) {
      if (isBoltzmann) actions[i] = sampleCategorical(logPi, random, i * A, A);
      else if (random.float() < epsilon) actions[i] = random.integer(A);
      // Any numbers have a mode; where Q has NaN, it throws.
      else actions[i] = mode(logProbabilities(q), i * A, A);
    }
  }

  /** Makes the updates that are due. */
  #learn(): void {
    const { replayStart, trainEvery, targetEvery, gamma, importanceExponent } = this.#settings;
    const due = Math.floor((this.#steps - replayStart) / trainEvery);
    if (this.#updates >= due || !this.#replay.ready) return;
    const { batch, errors } = this.#learner;
    while (this.#updates < due) {
      this.#replay.sample(this.#sampling, batch, gamma, importanceExponent);
      this.#learner.update(this.#figures);
      if (errors !== null) this.#replay.setErrors(batch.indices, errors);
      this.#updates++;
      if (this.#updates % targetEvery === 0) this.#learner.synchronise();
    }
  }

  save(): Snapshot {
    return {
      steps: this.#steps,
      updates: this.#updates,
      learner: this.#learner.save(),
      replay: this.#replay.save(),
      exploration: this.#exploration.save(),
      sampling: this.#sampling.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "Dqn.restore";
    const steps = snapshotNumber(where, snapshot, "steps");
    const updates = snapshotNumber(where, snapshot, "updates");
    const exploration = snapshotArray(where, snapshot, "exploration", "uint32", 4);
    const sampling = snapshotArray(where, snapshot, "sampling", "uint32", 4);
    const takeOver = this.#learner.restoring(where, snapshotSection(where, snapshot, "learner"));
    this.#replay.restore(snapshotSection(where, snapshot, "replay"));
    takeOver();
    this.#exploration.restore(exploration);
    this.#sampling.restore(sampling);
    this.#steps = steps;
    this.#updates = updates;
  }
}

/** The observations of all parts, in order. */
function joined(parts: readonly EnvironmentRows[]): EnvironmentRows["observations"] {
  const [{ observations }] = parts;
  const length = observations.length * parts.length;
  const all = observations instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  parts.forEach((part, p) => {
    all.set(part.observations, p * observations.length);
  });
  return all;
}

/** @throws SoftrlError for a setting that is not a default and has no effect beside the others, or cannot work with them. */
function requireEffects(current: Current): void {
  const { backup, behaviour, replay, double, returnSteps } = current;
  const needed: readonly (readonly [name: keyof Current, isRead: boolean, owner: string])[] = [
    ["tau", backup !== "hard" || behaviour === "boltzmann", "a soft backup or the behaviour boltzmann"],
    ["munchausenWeight", backup === "munchausen", "the backup munchausen"],
    ["munchausenFloor", backup === "munchausen", "the backup munchausen"],
    ["priorityExponent", replay === "prioritised", "a prioritised replay"],
    ["importanceExponent", replay === "prioritised", "a prioritised replay"],
    ["epsilon", behaviour === "epsilon-greedy", "the behaviour epsilon-greedy"],
    ["explorationSteps", behaviour === "epsilon-greedy", "the behaviour epsilon-greedy"],
  ];
  for (const [name, isRead, owner] of needed) {
    if (isRead || isDefault(settings[name], current[name])) continue;
    fail(`algorithm.${name}`, `this setting has no effect without ${owner}`, {
      got: describeValue(current[name]),
      remedy: "leave it out",
      setting: name,
    });
  }
  if (backup !== "munchausen") return;
  if (double) {
    fail("algorithm.double", "the backup munchausen has no double form", {
      remedy: "leave it out: the policy is the target network's",
      setting: "double",
    });
  }
  if (returnSteps > 1) {
    fail("algorithm.returnSteps", "the backup munchausen takes one step", {
      expected: "1: each reward has a bonus of its own",
      got: String(returnSteps),
      setting: "returnSteps",
    });
  }
}

/** Whether a value is the default in any family: a configuration holds every default. */
function isDefault(setting: Setting, value: unknown): boolean {
  return Object.values(setting.defaults).some((standard) => {
    const isNumber = typeof standard === "number" || setting.live;
    return value === (isNumber ? valueAt(standard as number, 0, 1) : standard);
  });
}
