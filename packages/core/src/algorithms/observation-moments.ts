import type { Saveable, Snapshot } from "../base/snapshot.js";
import type { PooledMoments } from "../data/pooled-moments.js";
import {
  inverseDeviationInto,
  momentsFrom,
  momentsSnapshot,
  RunningMoments,
  VARIANCE_EPSILON,
} from "../math/running-moments.js";
import type { Parameters } from "../nn/parameters.js";
import type { Buffer } from "../tensor/buffer.js";

/**
 * The moments of all observations of a run, and their place in θ: the parameters with a `statistic`, of which a network
 * with two bodies has two of each.
 *
 * The statistics in θ change in {@link write} alone. So a rollout and its update read the same ones, and a policy that is
 * evaluated or loaded keeps those that it was trained with.
 */
export class ObservationMoments implements Saveable {
  readonly #elements: number;
  readonly #means: readonly Buffer[];
  readonly #inverseDeviations: readonly Buffer[];
  readonly #views: readonly { readonly view: Buffer; readonly held: Buffer }[];
  readonly #moments: RunningMoments;
  readonly #inverse: Float64Array;
  readonly #pool: PooledMoments | null;

  /**
   * @param elements numbers in an observation; @param theta θ [P] in the executor's memory
   * @param pool the moments of all threads that learn this θ; null for one alone
   */
  constructor(elements: number, parameters: Parameters, theta: Buffer, pool: PooledMoments | null = null) {
    this.#pool = pool;
    const views = (statistic: "mean" | "inverseDeviation") =>
      parameters.entries
        .filter((entry) => entry.statistic === statistic)
        .map(({ offset, size }) => theta.subarray(offset, offset + size));
    this.#elements = elements;
    this.#means = views("mean");
    this.#inverseDeviations = views("inverseDeviation");
    this.#views = [...this.#means, ...this.#inverseDeviations].map((view) => ({ view, held: view.slice() }));
    this.#moments = new RunningMoments(elements);
    this.#inverse = new Float64Array(elements);
  }

  /** Adds the observations [B, ...] of a rollout. */
  add(observations: ArrayLike<number>): void {
    this.#moments.add(observations);
    this.#pool?.publish(this.#moments);
  }

  /** Writes mean and inverse deviation into θ; before the first observation θ keeps what it has. */
  write(): void {
    const moments = this.#pool?.pooled() ?? this.#moments;
    if (moments.count === 0) return;
    for (const view of this.#means) view.set(moments.mean);
    inverseDeviationInto(moments, VARIANCE_EPSILON, this.#inverse);
    for (const view of this.#inverseDeviations) view.set(this.#inverse);
  }

  /** Remembers the statistics in θ, for {@link putBack}. */
  hold(): void {
    for (const { view, held } of this.#views) held.set(view);
  }

  /** Undoes what an optimiser did to the statistics: one with weight decay moves parameters without a gradient, too. */
  putBack(): void {
    for (const { view, held } of this.#views) view.set(held);
  }

  save(): Snapshot {
    return momentsSnapshot(this.#moments);
  }

  restore(snapshot: Snapshot): void {
    this.#moments.restore(momentsFrom("ObservationMoments.restore", snapshot, this.#elements));
    this.#pool?.publish(this.#moments);
  }
}

/** Whether any of the parameters is a statistic of the observations. */
export function hasStatistics({ entries }: Parameters): boolean {
  return entries.some(({ statistic }) => statistic !== undefined);
}
