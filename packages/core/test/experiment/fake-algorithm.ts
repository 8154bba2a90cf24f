import {
  type Algorithm,
  type AlgorithmKind,
  actionCount,
  algorithmKind,
  type IterationReport,
  logProbabilities,
  type Observations,
  type OnStep,
  observationLength,
  type Policy,
  type PolicyOutputs,
  type Random,
  RandomStreams,
  type Snapshot,
  type Space,
  snapshotArray,
  type VectorEnvironment,
} from "softrl";

/** What a fake algorithm can be told. */
export interface FakeOptions {
  /** The seed of its actions; that of the run if left out. */
  readonly seed?: number;
  /** Whether its policy draws from a stream of its own, whatever it is given. */
  readonly ownDraws?: boolean;
  /** Called before each report, to change it or the algorithm. */
  readonly spoil?: (figures: Record<string, number>, iteration: number, algorithm: FakeAlgorithm) => void;
}

/** A kind of algorithm without a model, whose policy only its algorithm can make. */
export function fakeAlgorithm({ seed, ownDraws = false, spoil = () => {} }: FakeOptions = {}): AlgorithmKind {
  return algorithmKind({
    name: "fake",
    title: "fake",
    about: "acts at random",
    settings: {},
    make: ({ environment, streams }) => {
      const own = seed === undefined ? streams : new RandomStreams(seed);
      const algorithm = new FakeAlgorithm(environment, own, spoil);
      const { policy } = algorithm;
      const act = policy.act.bind(policy);
      if (ownDraws) policy.act = (observations, actions) => act(observations, actions);
      return algorithm;
    },
  });
}

/** Acts at random and "learns" one number from all that it sees, so that any difference in its past shows. */
export class FakeAlgorithm implements Algorithm {
  readonly policy: FakePolicy;
  readonly #environment: VectorEnvironment;
  readonly #spoil: NonNullable<FakeOptions["spoil"]>;
  #iterations = 0;

  constructor(
    environment: VectorEnvironment,
    streams: RandomStreams,
    spoil: NonNullable<FakeOptions["spoil"]>,
  ) {
    this.policy = new FakePolicy(environment, streams.stream("actions"));
    this.#environment = environment;
    this.#spoil = spoil;
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    const { policy } = this;
    const environment = this.#environment;
    const actions = new Int32Array(environment.size);
    for (let t = 0; t < 5; t++) {
      policy.act(environment.observations, actions);
      await environment.step(actions);
      onStep(t, environment, 0);
      for (const x of environment.observations) policy.learned[0] = Math.sin(policy.learned[0] * 1.1 + x);
    }
    this.#iterations++;
    const figures = { loss: policy.learned[0] };
    this.#spoil(figures, this.#iterations, this);
    return { steps: 5 * environment.size, figures };
  }

  save(): Snapshot {
    return { random: this.policy.random.save() };
  }

  restore(snapshot: Snapshot): void {
    this.policy.random.restore(snapshotArray("FakeAlgorithm", snapshot, "random", "uint32", 4));
  }
}

/** The uniform policy, with one parameter that it does not read. */
export class FakePolicy implements Policy {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly form = null;
  readonly learned = new Float64Array(1);

  constructor(
    { observationSpace, actionSpace }: Pick<Policy, "observationSpace" | "actionSpace">,
    readonly random: Random,
  ) {
    this.observationSpace = observationSpace;
    this.actionSpace = actionSpace;
  }

  act(
    _observations: Observations,
    actions: Int32Array,
    _how: "sample" | "mode" = "sample",
    random = this.random,
  ): void {
    const count = actionCount(this.actionSpace);
    for (let i = 0; i < actions.length; i++) actions[i] = random.integer(count);
  }

  evaluate(observations: Observations): PolicyOutputs {
    const count = actionCount(this.actionSpace);
    const rows = observations.length / observationLength(this.observationSpace);
    const logPi = logProbabilities(new Float64Array(rows * count).fill(-Math.log(count)));
    return { logPi, v: null, q: null };
  }

  save(): Snapshot {
    return { learned: this.learned.slice() };
  }

  restore(parameters: Snapshot): void {
    this.learned.set(snapshotArray("FakePolicy", parameters, "learned", "float64", 1));
  }
}
