import { allocate } from "../base/allocation.js";
import { fail, requireInteger, requireNumber } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { mean } from "./statistics.js";

/** How an interval is bootstrapped. */
export interface BootstrapOptions {
  readonly random: Random;
  /** Samples drawn; 10,000 if left out. */
  readonly resamples?: number;
  /** The probability that the interval is meant to cover the truth with; 0.95 if left out. */
  readonly level?: number;
}

/** An estimate and its interval. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The percentile bootstrap of a statistic of independent groups (Efron 1979): each group is resampled with replacement
 * on its own, and the interval reaches from the (1 − level)/2 to the (1 + level)/2 quantile of the statistic.
 *
 * @param groups for instance the scores of one algorithm's runs, or those of two
 * @throws SoftrlError for an empty group, or options out of range.
 */
export function bootstrapInterval(
  groups: readonly ArrayLike<number>[],
  statistic: (groups: readonly ArrayLike<number>[]) => number,
  { random, resamples = 10_000, level = 0.95 }: BootstrapOptions,
): Interval {
  requireInteger("bootstrapInterval", "resamples", resamples, 1);
  requireNumber("bootstrapInterval", "level", level, 0, 1);
  groups.forEach((group, g) => {
    if (group.length > 0) return;
    fail("bootstrapInterval", `group ${g} is empty`, { expected: "at least one number", got: "none" });
  });
  const drawn = groups.map(({ length }) => new Float64Array(length));
  const statistics = allocate("bootstrapInterval", Float64Array, resamples, {
    remedy: "draw fewer resamples",
  });
  for (let b = 0; b < resamples; b++) {
    drawn.forEach((sample, g) => {
      for (let i = 0; i < sample.length; i++) sample[i] = groups[g][random.integer(sample.length)];
    });
    statistics[b] = statistic(drawn);
  }
  statistics.sort();
  return {
    estimate: statistic(groups),
    low: quantile(statistics, (1 - level) / 2),
    high: quantile(statistics, (1 + level) / 2),
  };
}

/** {@link bootstrapInterval} of the mean. */
export const meanInterval = (x: ArrayLike<number>, options: BootstrapOptions): Interval =>
  bootstrapInterval([x], ([sample]) => mean(sample), options);

/** {@link bootstrapInterval} of mean(x) − mean(y). */
export const differenceInterval = (
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: BootstrapOptions,
): Interval => bootstrapInterval([x, y], ([a, b]) => mean(a) - mean(b), options);

/** The quantile of ascending numbers, interpolated between the two that enclose it. */
function quantile(ascending: Float64Array, probability: number): number {
  const place = probability * (ascending.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (place - below) * (ascending[above] - ascending[below]);
}
