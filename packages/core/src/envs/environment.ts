import type { Random, RandomStreams } from "../base/random.js";
import type { NamedScalars } from "../base/settings.js";
import type { Saveable, Snapshot } from "../base/snapshot.js";
import type { Terminated, Truncated } from "../math/endings.js";
import type { Mdp } from "../mdp/sparse-mdp.js";
import type { AtariProtocol } from "./atari/protocol.js";
import type { Picture } from "./canvas.js";
import type { Space } from "./spaces.js";

export { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";

/** The arrays that an observation may come in. */
export type Observations = Float32Array | Uint8Array;

/**
 * A single environment, in Gymnasium's terms. This is the interface to implement for an environment of your own;
 * {@link vectorize} combines several into a {@link VectorEnvironment}.
 */
export interface Environment extends Saveable {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** The environment's exact Markov decision process, if available; state s is observed as its one-hot vector. */
  readonly mdp?: Mdp;
  /**
   * Starts an episode and writes its first observation. `random` is this environment's own stream until the next
   * reset: keep it and draw from it in {@link step} too. The caller saves and restores it.
   */
  reset(random: Random, observation: Observations): void;
  /** Takes one step and overwrites the whole observation; `observation` is the same array as in the previous call. */
  step(action: number, observation: Observations): StepOutcome;
  /** Draws an observation; a pure function. Without it, the observation's numbers are drawn as bars. */
  paint?(observation: Observations): Picture;
}

/** The outcome of one step. A time limit is a truncation, never a termination. */
export interface StepOutcome {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/**
 * Environments stepped together over typed arrays: a whole {@link VectorEnvironment} or one of its parts.
 *
 * When an episode ends, the same step resets it (Gymnasium's SAME_STEP autoreset): `observations` then holds the
 * first observation of the next episode and `finalObservations` the last one of the episode that ended. The
 * environment owns all arrays. The next step overwrites them, from the moment it is started.
 */
export interface EnvironmentRows {
  /** The id that it was made with, for instance `CartPole-v1`. */
  readonly id: string;
  /** The number of environments S. */
  readonly size: number;
  /** [S, ...observation shape] */
  readonly observations: Observations;
  /** [S, ...observation shape]; row i is valid after a step that set terminated[i] or truncated[i]. */
  readonly finalObservations: Observations;
  /** [S], as the algorithm sees them: clipped if the environment clips rewards in training. */
  readonly rewards: Float64Array;
  /** [S], undiscounted returns of whole games in unclipped reward; valid where {@link episodeEnded} is 1. */
  readonly episodeReturns: Float64Array;
  /** [S], steps of the episode that ended; valid where {@link episodeEnded} is 1. */
  readonly episodeLengths: Int32Array;
  /** [S], 1 where the last step ended a whole episode (a lost life does not). */
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;

  /**
   * Steps all environments; `actions` is [S]. Returns a promise only if the environments run in other processes, which
   * step while this thread continues.
   */
  step(actions: Int32Array): void | Promise<void>;
}

/** S environments, the interface that algorithms train on. */
export interface VectorEnvironment extends EnvironmentRows {
  /** The options that it was made with, as a configuration holds them. */
  readonly options?: NamedScalars;
  /** Of Atari games: the rules that they were made with, as a configuration holds them. */
  readonly atariProtocol?: AtariProtocol;
  /** The space of one environment's observation. */
  readonly observationSpace: Space;
  /** The space of one environment's action. */
  readonly actionSpace: Space;
  /** The exact Markov decision process of one environment, if available; state s is observed as its one-hot vector. */
  readonly mdp?: Mdp;
  /**
   * The same environments, in order, in parts of equal size that step independently: the network evaluates one part
   * while another steps. Absent if the environments can only step together. Results do not depend on the parts. Each
   * part needs at least two environments, because arithmetic on a batch of one may round differently.
   */
  readonly parts?: readonly EnvironmentRows[];

  /** Draws one observation of this environment; a pure function. */
  paint?(observation: Observations): Picture;
  /**
   * Environment i as a person would see it, if that is more than its observation: a console's screen in colour. After
   * a step that ended an episode, this is the first state of the next one.
   */
  screen?(i: number): Picture | Promise<Picture>;
  /** Starts all episodes; environment i draws from `streams.stream("environment", i)`. */
  reset(streams: RandomStreams): void | Promise<void>;
  /** Everything needed for a bit-exact continuation, or null if the environment cannot save its state. */
  save(): Snapshot | null | Promise<Snapshot | null>;
  restore(snapshot: Snapshot): void | Promise<void>;
  /** Ends child processes and frees memory; safe to call twice. */
  close(): void | Promise<void>;
}
