import {
  type Algorithm,
  type AlgorithmKind,
  builtInNetworks,
  builtInOptimisers,
  type ChosenSettings,
  defaultNetworks,
  type Executor,
  encodeCheckpoint,
  environmentFamily,
  LiveSettings,
  makeAlgorithm,
  NetworkPolicy,
  RandomStreams,
  type RunKinds,
  runConfig,
  type SharedParameters,
  type Snapshot,
  type VectorEnvironment,
} from "softrl";

/** An algorithm of a kind. */
export interface BareAlgorithmParts {
  readonly algorithm: AlgorithmKind;
  readonly environment: VectorEnvironment;
  readonly executor: Executor;
  readonly seed: number;
  readonly settings?: ChosenSettings;
  /** The name of a built-in optimiser. */
  readonly optimiser?: string;
  /** What other threads it shares its parameters with. */
  readonly shared?: SharedParameters;
}

/** An algorithm without a trainer, its environments started from the seed. */
export class BareAlgorithm {
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly live: LiveSettings;

  constructor(parts: BareAlgorithmParts) {
    const { algorithm, environment, executor, seed, settings = {}, optimiser, shared } = parts;
    const kinds = kindsOf(algorithm, environment.id, optimiser);
    const config = runConfig({
      kinds,
      environment: environment.id,
      executor,
      chosen: {
        ...settings,
        run: { ...settings.run, seed },
        environment: { count: environment.size, ...settings.environment },
      },
    });
    this.environment = environment;
    this.live = new LiveSettings(config.run.steps);
    this.algorithm = makeAlgorithm(
      config,
      kinds,
      environment,
      executor,
      this.live,
      shared === undefined ? {} : { shared },
    );
    environment.reset(new RandomStreams(seed));
  }

  /** θ [P], a copy. */
  get theta(): Float64Array {
    const { policy } = this.algorithm;
    if (!(policy instanceof NetworkPolicy)) throw new Error("the policy has no θ");
    return policy.theta();
  }

  /** Iterates, and moves the step that schedules read. @returns the report of each iteration */
  async iterate(count: number) {
    const reports = [];
    for (let i = 0; i < count; i++) {
      const { steps, figures } = await this.algorithm.iterate(() => {});
      this.live.step += steps;
      reports.push({ steps, figures: { ...figures } });
    }
    return reports;
  }

  /** All of the state. */
  async save(): Promise<Snapshot> {
    return {
      parameters: this.algorithm.policy.save(),
      algorithm: this.algorithm.save(),
      pieces: Object.fromEntries(
        (this.algorithm.pieces?.() ?? []).map((piece) => [piece.name, piece.save()]),
      ),
      live: this.live.save(),
      environment: await this.environment.save(),
    };
  }

  /** Takes the state of another one over. */
  async restore(other: BareAlgorithm): Promise<void> {
    this.algorithm.policy.restore(other.algorithm.policy.save());
    this.algorithm.restore(other.algorithm.save());
    const pieces = other.algorithm.pieces?.() ?? [];
    this.algorithm.pieces?.().forEach((piece, i) => {
      piece.restore(pieces[i].save());
    });
    this.live.restore(other.live.save());
    const environment = await other.environment.save();
    if (environment !== null) await this.environment.restore(environment);
  }

  /** All of the state as bytes. */
  async bytes(): Promise<Uint8Array> {
    return encodeCheckpoint(await this.save());
  }
}

/** An algorithm with the network of its environment's family and a built-in optimiser. */
export function kindsOf(algorithm: AlgorithmKind, environmentId: string, optimiser = "rmsprop"): RunKinds {
  const networkName = defaultNetworks[environmentFamily(environmentId)];
  const network = builtInNetworks.find(({ name }) => name === networkName);
  const ofName = builtInOptimisers.find(({ name }) => name === optimiser);
  if (network === undefined || ofName === undefined) throw new Error("no such kind");
  return { algorithm, network, optimiser: ofName };
}

/** max |x − y|. */
export function largestDifference(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i] - y[i]));
  return largest;
}
