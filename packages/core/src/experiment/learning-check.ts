import { describeValue, fail } from "../base/errors.js";
import { type Saveable, type Snapshot, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { mean, sampleStandardDeviation } from "../math/statistics.js";
import { EPISODES_IN_SCORE, type ReturnsWindow } from "./returns-window.js";

/** A run whose mean return has not left its start after a quarter of the steps in which it learns, or that makes no update. */
export interface LearningWarning {
  /** The run is too short for an update, no whole episode has ended, or the returns have not risen. */
  readonly reason: (typeof reasons)[number];
  /** Environment steps taken at the check, and the length of the run then. */
  readonly step: number;
  readonly steps: number;
  /** How many of the first and of the newest episodes were compared; 0 where none were. */
  readonly firstEpisodes: number;
  readonly newestEpisodes: number;
  /** Their mean returns; null where none were compared. */
  readonly firstMean: number | null;
  readonly newestMean: number | null;
}

const reasons = ["no-update", "no-episode", "no-rise"] as const;

/** Shorter runs are not checked: a quarter of them is too few steps to tell. */
const SHORTEST_RUN = 10_000;
const SHARE = 1 / 4;
/** The first episodes show the start: more of them would include what was learned since. */
const MOST_FIRST = 20;
/** Fewer episodes are not compared. */
const FEWEST_COMPARED = 10;
const STANDARD_ERRORS = 2;

/**
 * Compares a run's newest returns with its first ones, once, after a quarter of the steps in which it learns.
 *
 * The first n = min(20, half of the episodes so far) are compared with the newest m = min(100, the others). The mean return
 * has risen if x̄_newest − x̄_first > 2 √(s²_newest/m + s²_first/n), two standard errors of the difference. From one to 19
 * episodes nothing is compared.
 */
export class LearningCheck implements Saveable {
  #done = false;
  #warning: LearningWarning | null = null;

  /** The warning that the check gave; null before it and where the returns have risen. */
  get warning(): LearningWarning | null {
    return this.#warning;
  }

  /**
   * Checks the run if it is time.
   * @param learningStarts environment steps before the first update
   * @returns a warning when it arises, else null
   */
  check(step: number, steps: number, returns: ReturnsWindow, learningStarts = 0): LearningWarning | null {
    // A run that was extended may have updates after all.
    if (this.#warning?.reason === "no-update" && learningStarts < steps) this.#done = false;
    if (this.#done) return null;
    this.#warning = null;
    if (learningStarts >= steps) return this.#conclude({ reason: "no-update", step, steps, ...noEpisodes });
    if (steps < SHORTEST_RUN || step < learningStarts + SHARE * (steps - learningStarts)) return null;
    return this.#conclude(warningOf(step, steps, returns));
  }

  #conclude(warning: LearningWarning | null): LearningWarning | null {
    this.#done = true;
    this.#warning = warning;
    return warning;
  }

  save(): Snapshot {
    return { done: this.#done, warning: this.#warning === null ? {} : { ...this.#warning } };
  }

  /** @param where what an error names, for instance the file */
  restore(snapshot: Snapshot, where = "LearningCheck.restore"): void {
    const { done } = snapshot;
    if (typeof done !== "boolean") {
      fail(where, "done is not valid", { expected: "true or false", got: describeValue(done) });
    }
    const saved = snapshotSection(where, snapshot, "warning");
    const { reason, firstMean, newestMean } = saved;
    this.#done = done;
    this.#warning = null;
    if (reason === undefined) return;
    this.#warning = {
      reason: reasons.find((each) => each === reason) ?? "no-rise",
      step: snapshotNumber(where, saved, "step"),
      steps: snapshotNumber(where, saved, "steps"),
      firstEpisodes: snapshotNumber(where, saved, "firstEpisodes"),
      newestEpisodes: snapshotNumber(where, saved, "newestEpisodes"),
      firstMean: firstMean === null ? null : snapshotNumber(where, saved, "firstMean"),
      newestMean: newestMean === null ? null : snapshotNumber(where, saved, "newestMean"),
    };
  }
}

const noEpisodes = { firstEpisodes: 0, newestEpisodes: 0, firstMean: null, newestMean: null };

function warningOf(step: number, steps: number, returns: ReturnsWindow): LearningWarning | null {
  if (returns.episodes === 0) return { reason: "no-episode", step, steps, ...noEpisodes };
  const firstEpisodes = Math.min(MOST_FIRST, Math.floor(returns.episodes / 2));
  if (firstEpisodes < FEWEST_COMPARED) return null;
  const newestEpisodes = Math.min(EPISODES_IN_SCORE, returns.episodes - firstEpisodes);
  const first = returns.first(firstEpisodes);
  const newest = returns.newest(newestEpisodes);
  if (hasRisen(first, newest)) return null;
  const means = { firstMean: mean(first), newestMean: mean(newest) };
  return { reason: "no-rise", step, steps, firstEpisodes, newestEpisodes, ...means };
}

/** Whether the mean of the second sample is above that of the first by more than two standard errors. */
function hasRisen(first: Float64Array, newest: Float64Array): boolean {
  const variance = (x: Float64Array) => sampleStandardDeviation(x) ** 2 / x.length;
  const standardError = Math.sqrt(variance(first) + variance(newest));
  return mean(newest) - mean(first) > STANDARD_ERRORS * standardError;
}
