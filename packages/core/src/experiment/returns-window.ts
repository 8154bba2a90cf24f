import { type Snapshot, snapshotCount, snapshotFinite } from "../base/snapshot.js";

/** How many of the newest training episodes a score is the mean of. */
export const EPISODES_IN_SCORE = 100;

/** The returns of the newest and of the first {@link EPISODES_IN_SCORE} episodes, and how many there were in all. */
export class ReturnsWindow {
  readonly #returns = new Float64Array(EPISODES_IN_SCORE);
  readonly #first = new Float64Array(EPISODES_IN_SCORE);
  #episodes = 0;

  /** Whole episodes ended so far. */
  get episodes(): number {
    return this.#episodes;
  }

  add(episodeReturn: number): void {
    if (this.#episodes < EPISODES_IN_SCORE) this.#first[this.#episodes] = episodeReturn;
    this.#returns[this.#episodes % EPISODES_IN_SCORE] = episodeReturn;
    this.#episodes++;
  }

  /** (1/n) Σ of the returns in the window, n ≤ 100; null when there is none. */
  mean(): number | null {
    const count = Math.min(this.#episodes, EPISODES_IN_SCORE);
    if (count === 0) return null;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.#returns[i];
    return sum / count;
  }

  /** The first `count` returns, oldest first; `count` is at most {@link EPISODES_IN_SCORE} and {@link episodes}. */
  first(count: number): Float64Array {
    return this.#first.slice(0, count);
  }

  /** The newest `count` returns, oldest first; `count` is at most {@link EPISODES_IN_SCORE} and {@link episodes}. */
  newest(count: number): Float64Array {
    const start = this.#episodes - count;
    return Float64Array.from({ length: count }, (_, i) => this.#returns[(start + i) % EPISODES_IN_SCORE]);
  }

  save(): Snapshot {
    return { episodes: this.#episodes, returns: this.#returns.slice(), first: this.#first.slice() };
  }

  /** @param where what an error names, for instance the file */
  restore(snapshot: Snapshot, where = "ReturnsWindow.restore"): void {
    const returns = snapshotFinite(where, snapshot, "returns", EPISODES_IN_SCORE);
    const first = snapshotFinite(where, snapshot, "first", EPISODES_IN_SCORE);
    this.#episodes = snapshotCount(where, snapshot, "episodes");
    this.#returns.set(returns);
    this.#first.set(first);
  }
}
