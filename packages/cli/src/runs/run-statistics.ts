import {
  bootstrapInterval,
  type Interval,
  interquartileMean,
  type Random,
  RandomStreams,
  type TaskScores,
} from "softrl";

/** Σ xᵢ / n; NaN for no numbers. The library's `mean` is that of a tensor. */
export function meanOf(numbers: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i];
  return total / numbers.length;
}

/** Random streams for bootstrapped intervals: always the same, so that the same runs give the same intervals. */
export const bootstrapStreams = (): RandomStreams => new RandomStreams(0);

/** An estimate, and its 95 % bootstrap interval; null where a task has a single run. */
export interface Estimate {
  readonly estimate: number;
  readonly interval: Omit<Interval, "estimate"> | null;
}

/** How the scores of runs become one number: their mean, or their interquartile mean. */
export type Statistic = "mean" | "iqm";

/** Each {@link Statistic} of scores by task; the mean is that over tasks of each task's mean. */
export const statistics: Readonly<Record<Statistic, (tasks: TaskScores) => number>> = {
  mean: (tasks) => meanOf(tasks.map(meanOf)),
  iqm: interquartileMean,
};

/**
 * A statistic of scores by task, and the interval of its stratified bootstrap. Tables and figures of one variant on one
 * environment pass `bootstrapStreams().stream(variant, environment)` and leave out the resamples: their intervals agree.
 */
export function estimateOf(
  tasks: TaskScores,
  statistic: (tasks: TaskScores) => number,
  random: Random,
  resamples?: number,
): Estimate {
  if (tasks.some(({ length }) => length < 2)) return { estimate: statistic(tasks), interval: null };
  const options = { random, ...(resamples === undefined ? {} : { resamples }) };
  const { estimate, low, high } = bootstrapInterval(tasks, statistic, options);
  return { estimate, interval: { low, high } };
}

/** With fewer seeds, the percentile bootstrap covers the truth noticeably less often than it promises. */
export const FEW_SEEDS = 10;

/** Names without repetitions, in the order in which they first occur. */
export const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
