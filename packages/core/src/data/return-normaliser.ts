import { type Saveable, type Snapshot, snapshotArray, snapshotSection } from "../base/snapshot.js";
import {
  inverseDeviationInto,
  type Moments,
  momentsFrom,
  momentsSnapshot,
  RunningMoments,
  VARIANCE_EPSILON,
} from "../math/running-moments.js";
import type { PooledMoments } from "./pooled-moments.js";
import type { Rollout } from "./rollout.js";

/** What a reward is clipped to, as in stable-baselines3's VecNormalize. */
const LIMIT = 10;

/**
 * Divides rewards by the running standard deviation of the discounted return.
 *
 * Each environment has R ← γ R + r, which starts at 0 in each episode; the variance is over all of these R, of all
 * environments, up to the end of the present rollout. Rewards are not centred: that would change which policy is best.
 */
export class ReturnNormaliser implements Saveable {
  /** [S] R of the episodes that go on. */
  readonly #returns: Float64Array;
  readonly #moments = new RunningMoments(1);
  /** [T · S] R of a rollout's steps; kept, so that a rollout leaves no garbage. */
  #batch = new Float64Array(0);
  /** [1] 1/√(variance + ε). */
  readonly #factor = new Float64Array(1);

  readonly #pool: PooledMoments | null;

  /**
   * @param size the number of environments S
   * @param pool the moments of all threads that learn from these rewards; null for one alone
   */
  constructor(size: number, pool: PooledMoments | null = null) {
    this.#pool = pool;
    this.#returns = new Float64Array(size);
  }

  /** √(variance + ε), which the newest rollout's rewards were divided by; 1 before the first rollout. */
  get deviation(): number {
    return this.#all.count === 0 ? 1 : 1 / this.#inverseDeviation();
  }

  /** Adds a rollout's returns to the variance, then replaces its rewards by clip(r / √(variance + ε), ±10). */
  normalise(rollout: Rollout, gamma: number): void {
    const { rewards, terminated, truncated } = rollout;
    if (this.#batch.length !== rewards.length) this.#batch = new Float64Array(rewards.length);
    const batch = this.#batch;
    discountedReturnsInto(rollout, gamma, this.#returns, batch);
    for (let s = 0, i = batch.length - this.#returns.length; s < this.#returns.length; s++, i++) {
      this.#returns[s] = terminated[i] || truncated[i] ? 0 : batch[i];
    }
    this.#moments.add(batch);
    this.#pool?.publish(this.#moments);
    const factor = this.#inverseDeviation();
    for (let i = 0; i < rewards.length; i++) {
      rewards[i] = Math.max(-LIMIT, Math.min(LIMIT, rewards[i] * factor));
    }
  }

  /** The moments of all threads. */
  get #all(): Moments {
    return this.#pool?.pooled() ?? this.#moments;
  }

  #inverseDeviation(): number {
    inverseDeviationInto(this.#all, VARIANCE_EPSILON, this.#factor);
    return this.#factor[0];
  }

  save(): Snapshot {
    return { returns: this.#returns.slice(), moments: momentsSnapshot(this.#moments) };
  }

  restore(snapshot: Snapshot): void {
    const where = "ReturnNormaliser.restore";
    const returns = snapshotArray(where, snapshot, "returns", "float64", this.#returns.length);
    this.#moments.restore(momentsFrom(where, snapshotSection(where, snapshot, "moments"), 1));
    this.#pool?.publish(this.#moments);
    this.#returns.set(returns);
  }
}

/**
 * R[t, s] = rewards[t, s] + γ R[t − 1, s], and γ · 0 after an episode's end: the discounted sums of past rewards.
 *
 * @param initial [S] R[−1]; @param returns [T, S]
 */
export function discountedReturnsInto(
  { rewards, terminated, truncated }: Pick<Rollout, "rewards" | "terminated" | "truncated">,
  gamma: number,
  initial: Float64Array,
  returns: Float64Array,
): void {
  const size = initial.length;
  for (let i = 0; i < rewards.length; i++) {
    const before = i - size;
    let past = before < 0 ? initial[i] : returns[before];
    if (before >= 0 && (terminated[before] || truncated[before])) past = 0;
    returns[i] = rewards[i] + gamma * past;
  }
}
