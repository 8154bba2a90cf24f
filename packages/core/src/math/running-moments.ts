/** Mean and variance of samples that arrive in batches. */
import { fail, requireLength } from "../base/errors.js";
import { type Snapshot, snapshotArray, snapshotNumber } from "../base/snapshot.js";

/** ε of 1/√(variance + ε), as in stable-baselines3's VecNormalize. */
export const VARIANCE_EPSILON = 1e-8;

/** The moments of `count` samples of n elements; all zero for no samples. */
export interface Moments {
  readonly count: number;
  /** [n] The mean of each element. */
  readonly mean: Float64Array;
  /** [n] Σ (x − mean)² of each element: `count` times its variance. */
  readonly squares: Float64Array;
}

/** The moments of no samples of n elements. */
export function noMoments(elements: number): Moments {
  return { count: 0, mean: new Float64Array(elements), squares: new Float64Array(elements) };
}

/**
 * The moments of samples [B, n], row-major, in float64: the corrected two-pass algorithm, which loses no digits where
 * the mean is much larger than the deviation.
 * @throws SoftrlError when the samples are not whole rows.
 */
export function momentsOf(samples: ArrayLike<number>, elements: number): Moments {
  const { mean, squares } = noMoments(elements);
  const count = momentsInto(samples, { mean, squares, rest: new Float64Array(elements) });
  return { count, mean, squares };
}

/** Writes mean and squares of samples [B, n]. Returns B. @throws SoftrlError when the samples are not whole rows. */
function momentsInto(
  samples: ArrayLike<number>,
  { mean, squares, rest }: Readonly<Record<"mean" | "squares" | "rest", Float64Array>>,
): number {
  const elements = mean.length;
  const count = samples.length / elements;
  if (!Number.isInteger(count)) {
    fail("momentsOf", "samples is not whole rows", {
      expected: `a multiple of ${elements} numbers`,
      got: String(samples.length),
    });
  }
  mean.fill(0);
  squares.fill(0);
  rest.fill(0);
  if (count === 0) return 0;
  for (let i = 0; i < samples.length; ) {
    for (let k = 0; k < elements; k++) mean[k] += samples[i++];
  }
  for (let k = 0; k < elements; k++) mean[k] /= count;
  // Rounding of the mean leaves a sum of differences that is not quite zero.
  for (let i = 0; i < samples.length; ) {
    for (let k = 0; k < elements; k++) {
      const difference = samples[i++] - mean[k];
      rest[k] += difference;
      squares[k] += difference * difference;
    }
  }
  for (let k = 0; k < elements; k++) squares[k] = Math.max(0, squares[k] - (rest[k] * rest[k]) / count);
  return count;
}

/**
 * The moments of two sets of samples together, from the moments of each (Chan, Golub and LeVeque 1983): with
 * δ = mean_b − mean_a and n = n_a + n_b, the mean is mean_a + δ n_b/n and the sum of squares M_a + M_b + δ² n_a n_b/n.
 */
export function combinedMoments(a: Moments, b: Moments): Moments {
  requireLength("combinedMoments", "b.mean", b.mean.length, a.mean.length, "both have n elements");
  const count = a.count + b.count;
  if (count === 0) return a;
  const share = b.count / count;
  const delta = a.mean.map((mean, k) => b.mean[k] - mean);
  return {
    count,
    mean: a.mean.map((mean, k) => mean + delta[k] * share),
    squares: a.squares.map((squares, k) => squares + b.squares[k] + delta[k] * delta[k] * a.count * share),
  };
}

/**
 * The moments of samples [B, n] that come in batches, updated in place: what {@link combinedMoments} and
 * {@link momentsOf} give, without their arrays.
 */
export class RunningMoments implements Moments {
  readonly mean: Float64Array;
  readonly squares: Float64Array;
  readonly #batchMean: Float64Array;
  readonly #batchSquares: Float64Array;
  readonly #rest: Float64Array;
  #count = 0;

  constructor(elements: number) {
    const numbers = () => new Float64Array(elements);
    this.mean = numbers();
    this.squares = numbers();
    this.#batchMean = numbers();
    this.#batchSquares = numbers();
    this.#rest = numbers();
  }

  get count(): number {
    return this.#count;
  }

  /** @throws SoftrlError when the samples are not whole rows. */
  add(samples: ArrayLike<number>): void {
    const batch = { mean: this.#batchMean, squares: this.#batchSquares, rest: this.#rest };
    const added = momentsInto(samples, batch);
    const count = this.#count + added;
    if (count === 0) return;
    const share = added / count;
    for (let k = 0; k < this.mean.length; k++) {
      const delta = batch.mean[k] - this.mean[k];
      this.mean[k] += delta * share;
      this.squares[k] = this.squares[k] + batch.squares[k] + delta * delta * this.#count * share;
    }
    this.#count = count;
  }

  /** Takes the moments of a snapshot over. */
  restore({ count, mean, squares }: Moments): void {
    this.#count = count;
    this.mean.set(mean);
    this.squares.set(squares);
  }
}

/** [n] 1/√(variance + ε). @throws SoftrlError for no samples, which have no variance. */
export function inverseDeviation(moments: Moments, epsilon: number): Float64Array {
  const result = new Float64Array(moments.squares.length);
  inverseDeviationInto(moments, epsilon, result);
  return result;
}

/** {@link inverseDeviation}, into an array. */
export function inverseDeviationInto(
  { count, squares }: Moments,
  epsilon: number,
  result: Float64Array,
): void {
  if (!(count > 0)) {
    fail("inverseDeviation", "there are no samples", { expected: "at least 1", got: String(count) });
  }
  for (let k = 0; k < result.length; k++) result[k] = 1 / Math.sqrt(squares[k] / count + epsilon);
}

/** Moments as plain data; copies. */
export function momentsSnapshot({ count, mean, squares }: Moments): Snapshot {
  return { count, mean: mean.slice(), squares: squares.slice() };
}

/** Moments of n elements from a snapshot. @throws SoftrlError when they are missing, of another size or not valid. */
export function momentsFrom(where: string, snapshot: Snapshot, elements: number): Moments {
  const count = snapshotNumber(where, snapshot, "count");
  const mean = snapshotArray(where, snapshot, "mean", "float64", elements).slice();
  const squares = snapshotArray(where, snapshot, "squares", "float64", elements).slice();
  if (!(count >= 0 && mean.every(Number.isFinite) && squares.every((x) => x >= 0 && Number.isFinite(x)))) {
    fail(where, "the moments are not valid", {
      expected: "a count from 0 on, finite means, and sums of squares from 0 on",
      remedy: "use the checkpoint of a run that did not diverge",
    });
  }
  return { count, mean, squares };
}
