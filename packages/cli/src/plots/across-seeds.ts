import {
  bootstrapInterval,
  type Interval,
  interquartileMean,
  type LearningCurve,
  meanInterval,
  performanceProfile,
  type Random,
} from "softrl";

/** How the runs of a variant become one number: their mean, or their interquartile mean. */
export type Statistic = "mean" | "iqm";

/** Statistics at a number of steps, or of thresholds. */
export interface IntervalPoint extends Interval {
  readonly x: number;
}

/** Points of a curve: more than a figure of a paper's column can show. */
const MOST_POINTS = 100;
/** Enough for the second digit of an interval's ends. */
const RESAMPLES = 2000;

/** The {@link Statistic} of scores and its 95 % bootstrap interval; that of a single score is the score. */
export function scoreInterval(scores: readonly number[], statistic: Statistic, random: Random): Interval {
  if (scores.length < 2) return { estimate: scores[0], low: scores[0], high: scores[0] };
  const options = { random, resamples: RESAMPLES };
  if (statistic === "mean") return meanInterval(scores, options);
  return bootstrapInterval([scores], interquartileMean, options);
}

/**
 * The {@link Statistic} across seeds at each step, with its 95 % bootstrap interval. Curves are interpolated linearly
 * between their points, and only steps that all of them reach are shown.
 */
export function curveAcrossSeeds(
  curves: readonly LearningCurve[],
  statistic: Statistic,
  random: Random,
): readonly IntervalPoint[] {
  const from = Math.max(...curves.map(({ steps }) => steps[0]));
  const to = Math.min(...curves.map(({ steps }) => steps[steps.length - 1]));
  const all = [...new Set(curves.flatMap(({ steps }) => steps))]
    .filter((step) => from <= step && step <= to)
    .sort((a, b) => a - b);
  return thinned(all, MOST_POINTS).map((x) => ({
    x,
    ...scoreInterval(
      curves.map((curve) => interpolated(curve, x)),
      statistic,
      random,
    ),
  }));
}

/** At most `most` of the entries, evenly, with both ends. */
function thinned(entries: readonly number[], most: number): readonly number[] {
  if (entries.length <= most) return entries;
  return Array.from({ length: most }, (_, i) => entries[Math.round((i * (entries.length - 1)) / (most - 1))]);
}

/** The value of a curve at a step between its ends. */
export function interpolated({ steps, meanReturns }: LearningCurve, step: number): number {
  let after = steps.findIndex((one) => one >= step);
  if (after === -1) after = steps.length - 1;
  if (steps[after] <= step || after === 0) return meanReturns[after];
  const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
  return meanReturns[after - 1] + share * (meanReturns[after] - meanReturns[after - 1]);
}

/**
 * The performance profile of scores by task (Agarwal et al. 2021), with the 95 % interval of its stratified bootstrap at
 * each threshold; where a task has a single run, that of a share is the share.
 */
export function profileAcrossTasks(
  tasks: readonly (readonly number[])[],
  thresholds: readonly number[],
  random: Random,
): readonly IntervalPoint[] {
  if (tasks.some(({ length }) => length < 2)) {
    return Array.from(performanceProfile(tasks, thresholds), (share, i) => ({
      x: thresholds[i],
      ...{ estimate: share, low: share, high: share },
    }));
  }
  return thresholds.map((x) => ({
    x,
    ...bootstrapInterval(tasks, (drawn) => performanceProfile(drawn, [x])[0], {
      random,
      resamples: RESAMPLES / 4,
    }),
  }));
}
