import { type Interval, type LearningCurve, performanceProfile, type Random, type TaskScores } from "softrl";
import { type Estimate, estimateOf, type Statistic, statistics } from "../runs/run-statistics.js";

/** Statistics at a number of steps, or of thresholds. */
export interface IntervalPoint extends Interval {
  readonly x: number;
}

/** Points of a curve: more than a figure of a paper's column can show. */
const MOST_POINTS = 100;
/**
 * Of the interval at each point of a curve or a profile: enough for the second digit of its ends. The intervals of final
 * scores have as many as those of tables.
 */
const POINT_RESAMPLES = 2000;

/** The {@link Statistic} of final scores and its 95 % bootstrap interval; that of a single score is the score. */
export const scoreInterval = (scores: readonly number[], statistic: Statistic, random: Random): Interval =>
  shown(estimateOf([scores], statistics[statistic], random));

/** An estimate as figures show it: without an interval, both its ends are the estimate. */
export const shown = ({ estimate, interval }: Estimate): Interval => ({
  estimate,
  ...(interval ?? { low: estimate, high: estimate }),
});

/**
 * The {@link Statistic} across seeds at each step, with its 95 % bootstrap interval. Curves are interpolated linearly
 * between their points, and only steps that all of them reach are shown. To save time, an interval has 2,000 resamples,
 * where one of final scores has 10,000.
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
  return thinned(all, MOST_POINTS).map((x) => {
    const scores = curves.map((curve) => interpolated(curve, x));
    return { x, ...shown(estimateOf([scores], statistics[statistic], random, POINT_RESAMPLES)) };
  });
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
 * each threshold; where a task has a single run, that of a share is the share. All thresholds share one set of 2,000
 * resamples, so that the ends of the intervals fall as the shares do.
 * @param random the same stream, from its start, each time it is called
 */
export function profileAcrossTasks(
  tasks: TaskScores,
  thresholds: readonly number[],
  random: () => Random,
): readonly IntervalPoint[] {
  return thresholds.map((x) => {
    const share = (drawn: TaskScores) => performanceProfile(drawn, [x])[0];
    return { x, ...shown(estimateOf(tasks, share, random(), POINT_RESAMPLES)) };
  });
}
