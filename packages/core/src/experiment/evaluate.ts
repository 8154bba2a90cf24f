import type { Policy } from "../algorithms/policy.js";
import { requireInteger } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { mean, sampleStandardDeviation } from "../math/statistics.js";
import { requireFiniteStep } from "./finite.js";
import type { Host } from "./host.js";

/** The parts of an evaluation. */
export interface EvaluationParts extends Host {
  readonly policy: Policy;
  readonly environment: VectorEnvironment;
  /** Number of whole episodes to play. */
  readonly episodes: number;
  /** Actions drawn from π_θ, or its most likely action. */
  readonly mode: "sample" | "mode";
  /** The seed of the environments' starts. */
  readonly seed: number;
  /** Steps after which an episode is cut; no limit if left out. */
  readonly maxSteps?: number;
  /** What actions are drawn with; the policy's own stream if left out. */
  readonly random?: Random;
  /** Called after the reset and after every step, and waited for: for a film of what is played. */
  readonly watch?: () => void | Promise<void>;
}

/** The outcome of an evaluation. */
export interface EvaluationResult {
  /** Undiscounted returns in raw reward, ordered by environment and then by time; of a cut episode, up to the cut. */
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  /** Of the returns; null when there is none. */
  readonly meanReturn: number | null;
  /** Of the returns, with n − 1; null for fewer than two. */
  readonly standardDeviation: number | null;
  /** How many episodes were cut at `maxSteps`. */
  readonly cut: number;
  readonly interrupted: boolean;
}

/** Streams beside those of training: the same seed must not start the episodes that were learned from. */
class EvaluationStreams extends RandomStreams {
  readonly #round: number;

  constructor(seed: number, round: number) {
    super(seed);
    this.#round = round;
  }

  override stream(...name: readonly (string | number)[]): Random {
    return this.#round === 0
      ? super.stream("evaluation", ...name)
      : super.stream("evaluation", "round", this.#round, ...name);
  }
}

const STEPS_BETWEEN_PAUSES = 64;

/**
 * Plays whole episodes without learning.
 *
 * Each environment plays its share and no more: taking the first episodes to end, whichever they are, would favour
 * short ones. An environment cannot start anew alone: one whose episode was cut waits for the others, and all are then
 * reset for the episodes that are missing.
 */
export async function evaluate(parts: EvaluationParts): Promise<EvaluationResult> {
  const { policy, environment, episodes, mode, random, signal, maxSteps = Infinity } = parts;
  requireInteger("evaluate", "episodes", episodes, 1);
  if (maxSteps !== Infinity) requireInteger("evaluate", "maxSteps", maxSteps, 1);
  const { size } = environment;
  const shares = Array.from({ length: size }, (_, i) => Math.floor((episodes + size - 1 - i) / size));
  const played: { return: number; length: number }[][] = shares.map(() => []);
  const actions = new Int32Array(size);
  // Of the episodes that are being played.
  const returns = new Float64Array(size);
  const lengths = new Int32Array(size);
  const waiting = new Uint8Array(size);
  let missing = episodes;
  let cut = 0;
  let step = 0;
  for (let round = 0; missing > 0 && !(round > 0 && signal?.aborted); round++) {
    await environment.reset(new EvaluationStreams(parts.seed, round));
    returns.fill(0);
    lengths.fill(0);
    shares.forEach((share, i) => {
      waiting[i] = played[i].length === share ? 1 : 0;
    });
    await parts.watch?.();
    while (waiting.includes(0) && !signal?.aborted) {
      policy.act(environment.observations, actions, mode, random);
      await environment.step(actions);
      step++;
      requireFiniteStep(environment, step * size);
      if (parts.watch !== undefined) await parts.watch();
      for (let i = 0; i < size; i++) {
        if (waiting[i] === 1) continue;
        returns[i] += environment.rewards[i];
        lengths[i]++;
        const ended = environment.episodeEnded[i] === 1;
        if (!ended && lengths[i] < maxSteps) continue;
        played[i].push(
          ended
            ? { return: environment.episodeReturns[i], length: environment.episodeLengths[i] }
            : { return: returns[i], length: lengths[i] },
        );
        missing--;
        if (!ended) cut++;
        if (!ended || played[i].length === shares[i]) waiting[i] = 1;
        returns[i] = 0;
        lengths[i] = 0;
      }
      if (step % STEPS_BETWEEN_PAUSES === 0) await parts.pause?.();
    }
  }
  const all = played.flat();
  const allReturns = all.map((episode) => episode.return);
  return {
    returns: allReturns,
    lengths: all.map((episode) => episode.length),
    meanReturn: allReturns.length === 0 ? null : mean(allReturns),
    standardDeviation: allReturns.length < 2 ? null : sampleStandardDeviation(allReturns),
    cut,
    interrupted: missing > 0,
  };
}
