import { fail, requireNumber } from "../base/errors.js";
import { mean } from "./statistics.js";

/**
 * The scores of one algorithm, by task: `scores[m][n]` is that of run n on task m. Tasks may have different numbers of
 * runs. Where tasks have scales of their own, normalise them first ({@link normalisedScore}).
 *
 * The statistics below are those of Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
 * Precipice" (2021). {@link bootstrapInterval} gives any of them its interval: it resamples the runs of each task on
 * their own, which is their stratified bootstrap.
 */
export type TaskScores = readonly ArrayLike<number>[];

/** Scores between which a task's scale runs from 0 to 1, for instance those of a random and of a human player. */
export interface ScoreScale {
  readonly zero: number;
  readonly one: number;
}

/** (x − zero) / (one − zero). @throws SoftrlError where both ends are the same. */
export function normalisedScore(x: number, { zero, one }: ScoreScale): number {
  if (zero === one) {
    fail("normalisedScore", "both ends of the scale are the same", {
      expected: "two different scores",
      got: `${zero} and ${one}`,
    });
  }
  return (x - zero) / (one - zero);
}

/**
 * The interquartile mean: the mean of all runs of all tasks without the ⌊n/4⌋ lowest and the ⌊n/4⌋ highest of the n.
 * @throws SoftrlError where a task has no run, or a score is not a number.
 */
export function interquartileMean(scores: TaskScores): number {
  const all = pooled("interquartileMean", scores).sort();
  const dropped = Math.floor(all.length / 4);
  return mean(all.subarray(dropped, all.length - dropped));
}

/**
 * γ − mean(min(x, γ)): by how much the runs miss the score γ, where what is above γ does not make up for what is below.
 * @param goal γ; 1 if left out
 * @throws SoftrlError where a task has no run, or a score is not a number.
 */
export function optimalityGap(scores: TaskScores, goal = 1): number {
  requireNumber("optimalityGap", "goal", goal, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return goal - mean(pooled("optimalityGap", scores).map((score) => Math.min(score, goal)));
}

/**
 * The performance profile: for each threshold τ, the share of runs whose score is above τ, as the mean over tasks of
 * each task's share.
 * @returns as many shares as there are thresholds
 * @throws SoftrlError where a task has no run, or a score is not a number.
 */
export function performanceProfile(scores: TaskScores, thresholds: ArrayLike<number>): Float64Array {
  pooled("performanceProfile", scores);
  return Float64Array.from(thresholds, (threshold) =>
    mean(
      scores.map((runs) => {
        let above = 0;
        for (let i = 0; i < runs.length; i++) if (runs[i] > threshold) above++;
        return above / runs.length;
      }),
    ),
  );
}

/**
 * P(X > Y): the mean over tasks of the probability that a run of x scores higher than a run of y, where a tie counts
 * half. A task's probability is the Mann–Whitney statistic U / (N_x N_y).
 * @throws SoftrlError where x and y differ in their number of tasks, a task has no run, or a score is not a number.
 */
export function probabilityOfImprovement(x: TaskScores, y: TaskScores): number {
  const where = "probabilityOfImprovement";
  if (x.length !== y.length) {
    fail(where, "x and y have different tasks", {
      expected: `${x.length} tasks, as x has`,
      got: `${y.length}`,
      remedy: "give both the same tasks in the same order",
    });
  }
  pooled(where, x);
  pooled(where, y);
  return mean(x.map((runs, task) => shareOfWins(runs, y[task])));
}

function shareOfWins(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let wins = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < y.length; j++) wins += x[i] > y[j] ? 1 : x[i] === y[j] ? 0.5 : 0;
  }
  return wins / (x.length * y.length);
}

/** All scores in one array of its own. */
function pooled(where: string, scores: TaskScores): Float64Array {
  if (scores.length === 0) fail(where, "there are no tasks", { expected: "at least one", got: "none" });
  const all = new Float64Array(scores.reduce((length, runs) => length + runs.length, 0));
  let end = 0;
  scores.forEach((runs, task) => {
    if (runs.length === 0) fail(where, `task ${task} has no runs`, { expected: "at least one", got: "none" });
    for (let i = 0; i < runs.length; i++) {
      if (Number.isNaN(runs[i])) {
        fail(where, `run ${i} of task ${task} has no score`, { expected: "a number", got: "NaN" });
      }
      all[end++] = runs[i];
    }
  });
  return all;
}
