import type { Policy } from "../algorithms/policy.js";
import { requireInteger } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { mean, sampleStandardDeviation } from "../math/statistics.js";
import { requireFiniteStep } from "./finite.js";
import type { Host } from "./train.js";

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
  /** Called after the reset and after every step, and waited for: for a film of what is played. */
  readonly watch?: () => void | Promise<void>;
}

/** The outcome of an evaluation. */
export interface EvaluationResult {
  /** Undiscounted returns in raw reward, ordered by environment and then by time. */
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  /** Of the returns; null when there is none. */
  readonly meanReturn: number | null;
  /** Of the returns, with n − 1; null for fewer than two. */
  readonly standardDeviation: number | null;
  readonly interrupted: boolean;
}

/** Streams beside those of training: the same seed must not start the episodes that were learned from. */
class EvaluationStreams extends RandomStreams {
  override stream(...name: readonly (string | number)[]): Random {
    return super.stream("evaluation", ...name);
  }
}

const STEPS_BETWEEN_PAUSES = 64;

/**
 * Plays whole episodes without learning.
 *
 * Each environment plays its share and no more: taking the first episodes to end, whichever they are, would favour
 * short ones.
 */
export async function evaluate(parts: EvaluationParts): Promise<EvaluationResult> {
  const { policy, environment, episodes, mode, signal } = parts;
  requireInteger("evaluate", "episodes", episodes, 1);
  const { size } = environment;
  const shares = Array.from({ length: size }, (_, i) => Math.floor((episodes + size - 1 - i) / size));
  const played: { return: number; length: number }[][] = shares.map(() => []);
  const actions = new Int32Array(size);
  let missing = episodes;
  await environment.reset(new EvaluationStreams(parts.seed));
  await parts.watch?.();
  for (let step = 1; missing > 0 && !signal?.aborted; step++) {
    policy.act(environment.observations, actions, mode);
    await environment.step(actions);
    requireFiniteStep(environment, step * size);
    if (parts.watch !== undefined) await parts.watch();
    for (let i = 0; i < size; i++) {
      if (environment.episodeEnded[i] === 0 || played[i].length === shares[i]) continue;
      played[i].push({ return: environment.episodeReturns[i], length: environment.episodeLengths[i] });
      missing--;
    }
    if (step % STEPS_BETWEEN_PAUSES === 0) await parts.pause?.();
  }
  const all = played.flat();
  const returns = all.map((episode) => episode.return);
  return {
    returns,
    lengths: all.map((episode) => episode.length),
    meanReturn: returns.length === 0 ? null : mean(returns),
    standardDeviation: returns.length < 2 ? null : sampleStandardDeviation(returns),
    interrupted: missing > 0,
  };
}
