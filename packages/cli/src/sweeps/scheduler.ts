import { smallest } from "softrl";
import type { RunProgress } from "../terminal/supervisor.js";
import type { PlannedRun } from "./sweep-plan.js";

/** How a run stands. `elsewhere` is a run that another process makes. */
export type RunState = "left" | "running" | "elsewhere" | "done" | "failed";

/** What one try to make a run comes to. */
export type Attempt =
  | { readonly end: "finished"; readonly meanReturn: number }
  | { readonly end: "interrupted" }
  | {
      readonly end: "failed";
      readonly error: string;
      /** Whether another try may end otherwise. */
      readonly retry: boolean;
    };

/** What the scheduler does with runs: with processes and files, or without in a test. */
export interface SweepWork {
  /** Whether the results have the run by now. */
  isDone(run: PlannedRun): boolean;
  /** Reserves the run for this process; null while another one has it. */
  claim(run: PlannedRun): { release(): void } | null;
  /** Who has a run that this process cannot have, where they cannot be seen: they may have ended without a result. */
  unseenClaims(run: PlannedRun): readonly string[];
  /** Makes the run and writes its results; `stop` asks it to end early, so that it can be continued. */
  attempt(
    run: PlannedRun,
    number: number,
    onProgress: (progress: RunProgress) => void,
    stop: AbortSignal,
  ): Promise<Attempt>;
  /** Waits before runs that other processes make are looked at again. */
  wait(stop: AbortSignal): Promise<void>;
}

export interface FailedSweepRun {
  readonly run: PlannedRun;
  readonly error: string;
}

/** What came of the runs. */
export interface SweepOutcome {
  /** Runs that this process made. */
  readonly made: number;
  readonly failed: readonly FailedSweepRun[];
  readonly interrupted: boolean;
}

/** Gets every change. */
export interface SweepWatcher {
  changed(run: PlannedRun, state: RunState): void;
  progress(run: PlannedRun, progress: RunProgress): void;
  /**
   * Nothing is left but runs that other processes make.
   * @param unseen the claims among them that somebody may have to remove
   */
  waiting(count: number, unseen: readonly string[]): void;
}

/** What runs share: those that train at once weigh `total` together at most. One run may always train. */
export interface Capacity {
  readonly total: number;
  /** At least 1. */
  weightOf(run: Pick<PlannedRun, "settings">): number;
}

interface Claimed {
  readonly run: PlannedRun;
  readonly claim: { release(): void };
}

const ATTEMPTS = 2;

/**
 * Makes runs in their order, as many at once as the capacity has room for. A run that fails is tried once more, then
 * reported, while the others go on. Runs that another process makes are left to it, and taken over if it ends without
 * their results.
 * @param interrupted ends the running ones early, and starts no other; so does an error of `work`, which is thrown
 */
export async function scheduleRuns(
  runs: readonly PlannedRun[],
  capacity: Capacity,
  work: SweepWork,
  watcher: SweepWatcher,
  interrupted: AbortSignal,
): Promise<SweepOutcome> {
  const fault = new AbortController();
  const stop = AbortSignal.any([interrupted, fault.signal]);
  let waiting = [...runs];
  let made = 0;
  const failed: FailedSweepRun[] = [];
  /** Runs that another process had when they were last looked at: they hold up no other. */
  const away = new Set<PlannedRun>();
  let load = 0;
  let onRoom: (() => void)[] = [];

  /**
   * The next run that this process can have; "no-room" where it has to wait for others to end, since light runs that
   * passed it would keep the room from it; undefined where other processes have all that are left.
   */
  function next(): Claimed | "no-room" | undefined {
    for (const run of waiting) {
      if (load > 0 && load + capacity.weightOf(run) > capacity.total) {
        if (away.has(run)) continue;
        return "no-room";
      }
      const claim = work.claim(run);
      if (claim === null) {
        away.add(run);
        watcher.changed(run, "elsewhere");
        continue;
      }
      waiting = waiting.filter((other) => other !== run);
      return { run, claim };
    }
    return undefined;
  }

  async function make(run: PlannedRun): Promise<void> {
    watcher.changed(run, "running");
    for (let number = 1; ; number++) {
      const attempt = await work.attempt(run, number, (progress) => watcher.progress(run, progress), stop);
      if (attempt.end === "finished") {
        made++;
        watcher.progress(run, { step: run.steps, meanReturn: attempt.meanReturn });
        watcher.changed(run, "done");
        return;
      }
      if (attempt.end === "interrupted" || stop.aborted) {
        watcher.changed(run, "left");
        return;
      }
      if (attempt.retry && number < ATTEMPTS) continue;
      failed.push({ run, error: attempt.error });
      watcher.changed(run, "failed");
      return;
    }
  }

  async function lane(): Promise<void> {
    while (!stop.aborted && waiting.length > 0) {
      const found = next();
      if (found === undefined) {
        if (waiting.length === 0) return;
        watcher.waiting(
          waiting.length,
          waiting.flatMap((run) => work.unseenClaims(run)),
        );
        await work.wait(stop);
        continue;
      }
      if (found === "no-room") {
        await new Promise<void>((resolve) => onRoom.push(resolve));
        continue;
      }
      const { run, claim } = found;
      const weight = capacity.weightOf(run);
      load += weight;
      try {
        // Another process may have made it before this one could claim it.
        if (work.isDone(run)) watcher.changed(run, "done");
        else await make(run);
      } finally {
        load -= weight;
        const resume = onRoom;
        onRoom = [];
        for (const each of resume) each();
        claim.release();
      }
    }
  }

  const stoppingOthers = (error: unknown): never => {
    fault.abort();
    throw error;
  };
  const lightest = smallest(runs.map((run) => capacity.weightOf(run)));
  const most = Math.max(1, Math.floor(capacity.total / lightest));
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(most, runs.length) }, () => lane().catch(stoppingOthers)),
  );
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
  return { made, failed, interrupted: interrupted.aborted };
}
