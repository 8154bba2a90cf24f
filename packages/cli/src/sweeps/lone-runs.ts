import { setTimeout as sleep } from "node:timers/promises";
import { SoftrlError } from "softrl";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import type { RunProgress } from "../terminal/supervisor.js";
import { clock, type Terminal, writeJson } from "../terminal/terminal.js";
import { outcomeIn } from "./finished-run.js";
import { RunMaker } from "./make-run.js";
import { failureLines } from "./run-sweep.js";
import { type Attempt, type Capacity, type SweepWork, scheduleRuns } from "./scheduler.js";
import { SweepDisplay } from "./sweep-display.js";
import type { SweepFolder } from "./sweep-folder.js";
import type { PlannedRun, SweepPlan } from "./sweep-plan.js";

/** What `softrl sweep --only` trains. */
export interface LoneOptions {
  /** The keys of runs, with commas between them. */
  readonly only: unknown;
  readonly capacity: Capacity;
  readonly json: boolean;
  /** The command that collects the results. */
  readonly again: string;
}

/**
 * Trains runs that this process alone has, as a cluster's scheduler ensures, and leaves their folders: a sweep takes the
 * results from them. Nothing else is written, so that machines need not wait for each other.
 * @returns the exit code
 */
export async function trainOnly(
  plan: SweepPlan,
  folder: SweepFolder,
  { only, capacity, json, again }: LoneOptions,
  { err, out }: Terminal,
): Promise<number> {
  const runs = chosen(plan, String(only)).filter((run) => !folder.isDone(run));
  const work = new LoneRuns((run) => folder.runFolder(run));
  const interrupt = listenForInterrupt(err, "sweeping");
  try {
    const display = new SweepDisplay(err, clock, runs, new Set());
    interrupt.signal.addEventListener("abort", () => display.restart(), { once: true });
    const outcome = await scheduleRuns(runs, capacity, work, display, interrupt.signal).finally(() =>
      display.end(),
    );
    const { made, interrupted, failed } = outcome;
    for (const line of failureLines(outcome)) err.write(`${line}\n`);
    const errors = failed.map(({ run, error }) => ({ ...run.cells[0], error }));
    if (json) writeJson(out, { folder: folder.path, runs: runs.length, made, failed: errors, interrupted });
    else out.write(`${made} of ${runs.length} runs trained\nto collect the results: ${again}\n`);
    if (interrupted) return INTERRUPTED;
    return failed.length === 0 ? 0 : 1;
  } finally {
    interrupt.dispose();
  }
}

/** @throws SoftrlError for a key that no run of the plan has. */
function chosen(plan: SweepPlan, only: string): readonly PlannedRun[] {
  const keys = new Set(only.split(","));
  const runs = plan.runs.filter(({ key }) => keys.delete(key));
  const [unknown] = keys;
  if (unknown === undefined) return runs;
  throw new SoftrlError("--only", "no run has this key", {
    got: JSON.stringify(unknown),
    remedy: "the definition or the code has changed: write the script again",
  });
}

class LoneRuns implements SweepWork {
  readonly #folder: (run: PlannedRun) => string;
  readonly #maker = new RunMaker();

  constructor(folder: (run: PlannedRun) => string) {
    this.#folder = folder;
  }

  isDone(run: PlannedRun): boolean {
    try {
      return outcomeIn(this.#folder(run)) !== null;
    } catch (error) {
      // The attempt reports what is wrong.
      if (error instanceof SoftrlError) return false;
      throw error;
    }
  }

  claim(): { release(): void } {
    return { release: () => {} };
  }

  unseenClaims(): readonly string[] {
    return [];
  }

  async attempt(
    run: PlannedRun,
    number: number,
    onProgress: (progress: RunProgress) => void,
    stop: AbortSignal,
  ): Promise<Attempt> {
    const folder = this.#folder(run);
    const shared = ["--no-chart"];
    const made = await this.#maker.make(run, number, { folder, isAlone: true, shared, onProgress, stop });
    return made.end === "finished" ? { end: "finished", meanReturn: made.outcome.meanReturn } : made;
  }

  async wait(stop: AbortSignal): Promise<void> {
    await sleep(500, undefined, { signal: stop }).catch(() => {});
  }
}
