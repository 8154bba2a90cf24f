import { availableParallelism } from "node:os";
import { join } from "node:path";
import { oneLine, threadCount } from "softrl";
import { integerOption } from "../options/plain-options.js";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import { resultIsKeptIn } from "../terminal/streams.js";
import { clock, columnsOf, counted, type Terminal, writeJson } from "../terminal/terminal.js";
import { sweepFiles } from "./results-file.js";
import {
  type Capacity,
  type SweepOutcome,
  type SweepWatcher,
  type SweepWork,
  scheduleRuns,
} from "./scheduler.js";
import type { Standing } from "./standing.js";
import { SweepDisplay, titleOfCell } from "./sweep-display.js";
import type { SweepFolder } from "./sweep-folder.js";
import { type PlannedRun, type SweepPlan, workersOf } from "./sweep-plan.js";
import { scoreTable, sweepScores } from "./sweep-summary.js";

/** As many runs at once as `--jobs` says, else those whose threads fit the cores: see {@link coresOf}. */
export function capacityOption(text: unknown): Capacity {
  if (text !== undefined) return { total: integerOption("--jobs", text, 1), weightOf: () => 1 };
  return { total: coresHere(), weightOf: coresOf };
}

/** The cores that a run takes: one for each of its workers, or `SOFTRL_THREADS`. */
export const coresOf = (run: Pick<PlannedRun, "settings">): number =>
  Math.max(threadsOfEach(), workersOf(run));

/** The cores that this process may use: those of its Slurm task, else all. */
function coresHere(): number {
  const ofTask = Number(process.env.SLURM_CPUS_PER_TASK);
  return Number.isSafeInteger(ofTask) && ofTask > 0 ? ofTask : availableParallelism();
}

const threadsOfEach = (): number => threadCount(process.env.SOFTRL_THREADS);

/** Makes runs, shows how they stand, and ends early once it is asked to. */
export interface MakeRuns {
  readonly doing: "sweeping" | "queueing";
  make(runs: readonly PlannedRun[], watcher: SweepWatcher, interrupted: AbortSignal): Promise<SweepOutcome>;
}

/** Runs in processes of this machine. */
export const runsHere = (work: SweepWork, capacity: Capacity): MakeRuns => ({
  doing: "sweeping",
  make: (runs, watcher, interrupted) => scheduleRuns(runs, capacity, work, watcher, interrupted),
});

/** A sweep and the options of the command that started it. */
export interface SweepCommand {
  readonly plan: SweepPlan;
  readonly folder: SweepFolder;
  readonly make: MakeRuns;
  readonly json: boolean;
  /** What continues it once it was interrupted. */
  readonly again: string;
}

/** Makes every run that has no result, shows how they stand, and reports; returns the exit code. */
export async function runSweep(
  { plan, folder, make, json, again }: SweepCommand,
  terminal: Terminal,
): Promise<number> {
  const { err, out } = terminal;
  resultIsKeptIn(join(folder.path, sweepFiles.results));
  const interrupt = listenForInterrupt(err, make.doing);
  try {
    const done = new Set(plan.runs.filter((run) => folder.isDone(run)));
    const left = plan.runs.filter((run) => !done.has(run));
    for (const line of [...folder.warnings(), ...mixtureLines(plan, folder)]) err.write(`softrl: ${line}\n`);
    if (left.length > 0) {
      await folder.whenWritable((reason) => void err.write(`softrl: waiting: ${reason}\n`), interrupt.signal);
    }
    const display = new SweepDisplay(err, clock, plan.runs, done);
    interrupt.signal.addEventListener("abort", () => display.restart(), { once: true });
    const outcome = await make.make(left, display, interrupt.signal).finally(() => display.end());
    folder.tidy();
    const scores = sweepScores(plan.cells, folder.results());
    for (const line of failureLines(outcome)) err.write(`${line}\n`);
    if (json) writeJson(out, { ...resultOf(plan, folder, outcome), scores });
    else {
      out.write(`${scoreTable(scores, columnsOf(out))}\n${summary(plan, folder, outcome)}\n`);
      if (outcome.interrupted) out.write(`to continue: ${again}\n`);
    }
    if (outcome.interrupted) return INTERRUPTED;
    return outcome.failed.length === 0 ? 0 : 1;
  } finally {
    interrupt.dispose();
  }
}

/** The rows of a plan by their standing. */
function cellsBy(plan: SweepPlan, folder: SweepFolder): ReadonlyMap<Standing, number> {
  const counts = new Map<Standing, number>();
  for (const run of plan.runs) {
    for (const cell of run.cells) {
      const standing = folder.standing(run, cell);
      counts.set(standing, (counts.get(standing) ?? 0) + 1);
    }
  }
  return counts;
}

/** Which results are not of this version and these settings. */
function mixtureLines(plan: SweepPlan, folder: SweepFolder): readonly string[] {
  const counts = cellsBy(plan, folder);
  const names = new Set(plan.cells.map(({ variant }) => variant));
  const others = [...folder.results().values()].filter(
    ({ version, variant }) => version !== plan.version && names.has(variant),
  );
  const versions = [...new Set(others.map(({ version }) => (version === "" ? "an older one" : version)))];
  const older = (counts.get("other-version") ?? 0) + (counts.get("unnamed") ?? 0);
  const lines: string[] = [];
  if (older > 0) {
    lines.push(
      `${resultsText(older)} of another version (${versions.slice(0, 5).join(", ")}; this is ${plan.version}) count as done`,
    );
  }
  const differing = counts.get("other-defaults") ?? 0;
  if (differing > 0) {
    lines.push(
      `${resultsText(differing)} of another version and other settings or defaults count as done; --fresh makes them again`,
    );
  }
  return lines.map((line) => oneLine(line, 1000));
}

const resultsText = (count: number): string => `${counted(count)} result${count === 1 ? "" : "s"}`;

/** The runs that have failed, with their own errors. */
export function failureLines({ failed }: SweepOutcome): readonly string[] {
  return failed.flatMap(({ run, error }) => [
    `softrl: failed: ${oneLine(titleOfCell(run.cells[0]), 300)}`,
    ...error.split("\n").map((line) => `  ${line}`),
  ]);
}

function resultOf(plan: SweepPlan, folder: SweepFolder, { made, failed, interrupted }: SweepOutcome): object {
  return {
    folder: folder.path,
    runs: plan.runs.length,
    done: plan.runs.filter((run) => folder.isDone(run)).length,
    made,
    failed: failed.map(({ run, error }) => ({ ...run.cells[0], error })),
    interrupted,
    version: plan.version,
  };
}

function summary(plan: SweepPlan, folder: SweepFolder, { made, failed, interrupted }: SweepOutcome): string {
  const done = plan.runs.filter((run) => folder.isDone(run)).length;
  const parts = [
    `${counted(done)} of ${counted(plan.runs.length)} runs have a result, ${counted(made)} new`,
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
    ...(interrupted ? ["interrupted"] : []),
  ];
  return `${parts.join(", ")}\nresults: ${folder.path}`;
}
