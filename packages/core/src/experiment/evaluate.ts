import type { Policy } from "../algorithms/policy.js";
import { fail, requireInteger } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { mean, sampleStandardDeviation } from "../math/statistics.js";
import { claimEnvironment } from "./environment-claim.js";
import { requireFiniteStep } from "./finite.js";
import { checkedClock, type Host } from "./host.js";

/** The parts of an evaluation. */
export interface EvaluationParts extends Omit<Host, "onProgress"> {
  readonly policy: Policy;
  readonly environment: VectorEnvironment;
  /** Number of whole episodes to play. */
  readonly episodes: number;
  /** Actions drawn from π_θ, or its most likely action. */
  readonly mode: "sample" | "mode";
  /** The seed of the environments' starts. */
  readonly seed: number;
  /** Cuts each episode after so many steps, so that every evaluation ends; Infinity cuts none. */
  readonly maxSteps?: number;
  /** What actions are drawn with; the policy's own stream if left out. */
  readonly random?: Random;
  /** Called about ten times a second where there is a clock, and at the end. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Called after every reset and after every step, and waited for: for a film of what is played. */
  readonly watch?: () => void | Promise<void>;
}

/** The state of an evaluation. */
export interface EvaluationProgress {
  /** Episodes played so far, those that were cut among them. */
  readonly played: number;
  /** Episodes to play. */
  readonly episodes: number;
  /** Of the episodes played; null before the first one. */
  readonly meanReturn: number | null;
  /** Environment steps, all environments together. */
  readonly steps: number;
  readonly stepsPerSecond: number;
}

/** The outcome of an evaluation. */
export interface EvaluationResult {
  /**
   * Undiscounted returns, ordered by environment and then by time, in raw reward if the environment was made for evaluation
   * (Atari's with `training: false`); of an episode that was cut, the return up to there.
   */
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  /** Whether each of them was cut after `maxSteps` steps. */
  readonly wasCut: readonly boolean[];
  /** How many were cut. */
  readonly cut: number;
  /** Of the returns; null when there is none. */
  readonly meanReturn: number | null;
  /** Of the returns, with n − 1; null for fewer than two. */
  readonly standardDeviation: number | null;
  readonly interrupted: boolean;
}

/** Streams beside those of training: the same seed must not start the episodes that were learned from. */
class EvaluationStreams extends RandomStreams {
  readonly #name: readonly (string | number)[];

  /** @param round how often all environments were reset before */
  constructor(seed: number, round: number) {
    super(seed);
    this.#name = round === 0 ? ["evaluation"] : ["evaluation", "round", round];
  }

  override stream(...name: readonly (string | number)[]): Random {
    return super.stream(...this.#name, ...name);
  }
}

/** The steps after which an evaluation cuts an episode unless set; no Atari episode is as long. */
export const MOST_EPISODE_STEPS = 100_000;

const STEPS_BETWEEN_PAUSES = 64;
const SECONDS_BETWEEN_REPORTS = 0.1;

interface Episode {
  readonly return: number;
  readonly length: number;
  readonly wasCut: boolean;
}

/**
 * Plays whole episodes without learning.
 *
 * Each environment plays its share and no more: taking the first episodes to end, whichever they are, would favour
 * short ones. An environment whose episode is cut waits until the others have played their shares or are cut, too; then
 * all are reset.
 */
export async function evaluate(parts: EvaluationParts): Promise<EvaluationResult> {
  const { environment } = parts;
  let isPlaying = true;
  const user = { isAtWork: () => isPlaying };
  claimEnvironment("evaluate", environment, user);
  try {
    return await play(parts);
  } finally {
    isPlaying = false;
  }
}

async function play(parts: EvaluationParts): Promise<EvaluationResult> {
  const { policy, environment, episodes, mode, seed, random, signal } = parts;
  const clock = checkedClock(parts.clock);
  const { maxSteps = MOST_EPISODE_STEPS } = parts;
  requireInteger("evaluate", "episodes", episodes, 1);
  requireMaxSteps(maxSteps);
  const { size } = environment;
  const shares = Array.from({ length: size }, (_, i) => Math.floor((episodes + size - 1 - i) / size));
  const played: Episode[][] = shares.map(() => []);
  const actions = new Int32Array(size);
  // The episodes that are being played, and the environments that wait for the next reset.
  const returns = new Float64Array(size);
  const lengths = new Int32Array(size);
  const waits = shares.map((share) => share === 0);
  let missing = episodes;
  let sum = 0;
  const began = clock?.() ?? 0;
  let reported = began;
  const report = (step: number) => {
    const seconds = (clock?.() ?? 0) - began;
    parts.onProgress?.({
      played: episodes - missing,
      episodes,
      meanReturn: missing === episodes ? null : sum / (episodes - missing),
      steps: step * size,
      stepsPerSecond: seconds > 0 ? (step * size) / seconds : 0,
    });
  };
  const end = (i: number, episode: Episode) => {
    played[i].push(episode);
    missing--;
    sum += episode.return;
    returns[i] = 0;
    lengths[i] = 0;
    waits[i] = episode.wasCut || played[i].length === shares[i];
  };
  await environment.reset(new EvaluationStreams(seed, 0));
  await parts.watch?.();
  let step = 0;
  let round = 0;
  while (missing > 0 && !signal?.aborted) {
    step++;
    policy.act(environment.observations, actions, mode, random);
    await environment.step(actions);
    requireFiniteStep(environment, step * size);
    if (parts.watch !== undefined) await parts.watch();
    for (let i = 0; i < size; i++) {
      if (waits[i]) continue;
      returns[i] += environment.rewards[i];
      lengths[i]++;
      if (environment.episodeEnded[i] === 1) {
        end(i, {
          return: environment.episodeReturns[i],
          length: environment.episodeLengths[i],
          wasCut: false,
        });
      } else if (lengths[i] >= maxSteps) {
        end(i, { return: returns[i], length: lengths[i], wasCut: true });
      }
    }
    if (missing > 0 && !waits.includes(false)) {
      await environment.reset(new EvaluationStreams(seed, ++round));
      for (let i = 0; i < size; i++) waits[i] = played[i].length === shares[i];
      if (parts.watch !== undefined) await parts.watch();
    }
    if (step % STEPS_BETWEEN_PAUSES === 0) {
      if (clock !== null && clock() - reported >= SECONDS_BETWEEN_REPORTS) {
        report(step);
        reported = clock();
      }
      await parts.pause?.();
    }
  }
  report(step);
  const all = played.flat();
  const allReturns = all.map((episode) => episode.return);
  return {
    returns: allReturns,
    lengths: all.map((episode) => episode.length),
    wasCut: all.map((episode) => episode.wasCut),
    cut: all.filter((episode) => episode.wasCut).length,
    meanReturn: allReturns.length === 0 ? null : mean(allReturns),
    standardDeviation: allReturns.length < 2 ? null : sampleStandardDeviation(allReturns),
    interrupted: missing > 0,
  };
}

function requireMaxSteps(maxSteps: number): void {
  if (maxSteps === Number.POSITIVE_INFINITY || (Number.isSafeInteger(maxSteps) && maxSteps >= 1)) return;
  fail("evaluate", "maxSteps is not valid", {
    expected: "an integer of at least 1, or Infinity",
    got: String(maxSteps),
  });
}
