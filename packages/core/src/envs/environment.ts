import type { Random, RandomStreams } from "../base/random.js";
import type { Saveable, Snapshot } from "../base/snapshot.js";
import type { Terminated, Truncated } from "../math/endings.js";
import type { Mdp } from "../mdp/sparse-mdp.js";
import type { Picture } from "./canvas.js";
import type { Space } from "./spaces.js";

export { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";

/** What an environment may observe with. */
export type Observations = Float32Array | Uint8Array;

/**
 * One environment, in Gymnasium's terms: what a user writes. {@link vectorize} makes a {@link VectorEnvironment}
 * of several.
 */
export interface Environment extends Saveable {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** The exact process that this environment is, where it knows it: state s is observed as its one-hot vector. */
  readonly mdp?: Mdp;
  /**
   * Starts an episode and writes its first observation. `random` is this environment's own stream until the next
   * reset: keep it and draw from it in {@link step} as well; whoever handed it out saves and restores it.
   */
  reset(random: Random, observation: Observations): void;
  /** Takes one step and writes the observation after it, all of it; `observation` is the array of last time. */
  step(action: number, observation: Observations): StepOutcome;
  /** An observation of this environment as a picture; a pure function. Left out, the observation's numbers are shown. */
  paint?(observation: Observations): Picture;
}

/** The outcome of one step. A time limit is a truncation, never a termination. */
export interface StepOutcome {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/**
 * Environments in a row, stepped together over typed arrays: all of a {@link VectorEnvironment}, or one of its parts.
 *
 * An episode that ends is reset within the same step (Gymnasium's SAME_STEP autoreset): `observations` then holds
 * the first observation of the next episode and `finalObservations` the last one of the episode that ended.
 * All arrays are owned by the environment and overwritten by the next step; they may change as soon as it begins.
 */
export interface EnvironmentRows {
  /** The id that it was made by, for instance `CartPole-v1`. */
  readonly id: string;
  /** The number of environments S. */
  readonly size: number;
  /** [S, ...observation shape] */
  readonly observations: Observations;
  /** [S, ...observation shape]; row i is valid where terminated[i] or truncated[i] was just set. */
  readonly finalObservations: Observations;
  /** [S], as the algorithm is to see them (clipped, where the environment clips in training). */
  readonly rewards: Float64Array;
  /** [S], undiscounted returns of whole games in raw reward; valid where {@link episodeEnded} is 1. */
  readonly episodeReturns: Float64Array;
  /** [S], steps of the episode that ended; valid where {@link episodeEnded} is 1. */
  readonly episodeLengths: Int32Array;
  /** [S], 1 where a whole episode just ended (a lost life is not a whole episode). */
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;

  /**
   * Steps all of them; `actions` is [S]. Returns a promise only where the environments live elsewhere: they step
   * while this thread does something else.
   */
  step(actions: Int32Array): void | Promise<void>;
}

/** S environments: what algorithms train on. */
export interface VectorEnvironment extends EnvironmentRows {
  /** The space of one environment's observation. */
  readonly observationSpace: Space;
  /** The space of one environment's action. */
  readonly actionSpace: Space;
  /** The exact process of one environment, where it is known: state s is observed as its one-hot vector. */
  readonly mdp?: Mdp;
  /**
   * The same environments in order, in parts of one size that step apart: while one steps, another can be judged.
   * Left out where they only step together. What comes of the environments does not depend on the parts; take two
   * environments a part at least, since arithmetic over one alone may round otherwise.
   */
  readonly parts?: readonly EnvironmentRows[];

  /** One observation of this environment as a picture; a pure function of it. */
  paint?(observation: Observations): Picture;
  /**
   * Environment i as a person sees it, where that is more than its observation: a console's screen in colours.
   * Where an episode has just ended, this is the first state of the next one.
   */
  screen?(i: number): Picture | Promise<Picture>;
  /** Starts all episodes; environment i draws from `streams.stream("environment", i)`. */
  reset(streams: RandomStreams): void | Promise<void>;
  /** Everything for a bit-exact continuation, or null where the environment cannot tell it. */
  save(): Snapshot | null | Promise<Snapshot | null>;
  restore(snapshot: Snapshot): void | Promise<void>;
  /** Ends child processes and frees memory; safe to call twice. */
  close(): void | Promise<void>;
}
