import { basename, join } from "node:path";
import { builtInAlgorithms, isRecord, type LearningCurve, oneLine, SoftrlError } from "softrl";
import { readEvents, type SavedEvent } from "../runs/event-file.js";
import { DRAWABLE, isDrawable } from "../runs/return-range.js";
import { runFiles } from "../runs/run-folder.js";
import { type Cell, settingsIn } from "../runs/run-settings.js";

/** A run of a run folder, with all its settings. */
export interface TrainedRun {
  readonly folder: string;
  readonly algorithm: string;
  readonly environment: string;
  readonly seed: string;
  /** `section.name`, as the run started. */
  readonly settings: Readonly<Record<string, Cell>>;
  /** The mean return of the last 100 training episodes against environment steps. */
  readonly curve: LearningCurve;
  /** The last mean return; null where no episode ended. */
  readonly score: number | null;
  /** Where and by which code the newest process trained it. */
  readonly origin: TrainedOrigin;
  /** Whether it reached its last step. */
  readonly finished: boolean;
  /** Whether settings were changed on the way. */
  readonly changed: boolean;
}

export interface TrainedOrigin {
  /** With its instruction set: `native avx512`. */
  readonly executor: string;
  /** With its commit, where it was a checkout's: `0.1.0+8c3a58de0d80`. */
  readonly version: string;
  /** Empty where it is not known. */
  readonly machine: string;
}

/**
 * Reads a run from its events.
 * @throws SoftrlError where they are damaged, have a return that cannot be drawn, or do not begin with the run's settings.
 */
export function trainedRun(folder: string): TrainedRun {
  const path = join(folder, runFiles.events);
  const steps: number[] = [];
  const meanReturns: number[] = [];
  let settings: TrainedRun["settings"] = {};
  let origin: TrainedOrigin = { executor: "", version: "", machine: "" };
  let [finished, changed] = [false, false];
  readEvents(path, (saved) => {
    const { event, step, meanReturn, config } = saved;
    if (event === "started") settings = settingsIn(config);
    if (event === "started" || event === "resumed") origin = originIn(saved, origin);
    finished = event === "finished" || (finished && event !== "update" && event !== "resumed");
    changed ||= event === "set";
    if (event !== "update" || typeof step !== "number" || typeof meanReturn !== "number") return;
    requireDrawable(path, step, meanReturn);
    steps.push(step);
    meanReturns.push(meanReturn);
  });
  const { "environment.id": environment, "algorithm.name": algorithm, "run.seed": seed } = settings;
  if (typeof environment !== "string" || typeof algorithm !== "string") {
    throw new SoftrlError(path, "the events do not begin with the run's settings", {
      expected: 'the event "started" with its config',
    });
  }
  return {
    folder,
    algorithm,
    environment: environmentLabel(environment),
    seed: String(seed),
    settings,
    curve: { steps, meanReturns },
    score: meanReturns.at(-1) ?? null,
    origin,
    finished,
    changed,
  };
}

/** @throws SoftrlError for 1e999, which is infinite, and for other returns whose statistics are not numbers. */
function requireDrawable(path: string, step: number, meanReturn: number): void {
  if (isDrawable(meanReturn)) return;
  const finite = Number.isFinite(meanReturn);
  const what = finite ? "is too large or too small to be drawn" : "is not finite";
  throw new SoftrlError(path, `the mean return at step ${step} ${what}`, {
    expected: finite ? DRAWABLE : "a finite number",
    got: String(meanReturn),
    remedy: finite ? "leave this run out" : "restore the file",
  });
}

function originIn(event: SavedEvent, before: TrainedOrigin): TrainedOrigin {
  const { executor, instructionSet, version, commit, host } = event;
  const texts = (...values: readonly unknown[]) => values.filter((value) => typeof value === "string");
  const code = texts(version, typeof commit === "string" ? shortCommit(commit) : undefined).join("+");
  const { cpu, cores, platform, runtime } = isRecord(host) ? host : {};
  const count = typeof cores === "number" ? `${cores} core${cores === 1 ? "" : "s"}` : undefined;
  return {
    executor: texts(executor, instructionSet).join(" ") || before.executor,
    version: code || before.version,
    machine: texts(cpu, count, platform, runtime).join(", ") || before.machine,
  };
}

/** `8c3a58de0d80`, `8c3a58de0d80-dirty` */
const shortCommit = (commit: string): string => commit.replace(/^([0-9a-f]{12})[0-9a-f]+/, "$1");

/** A text from a file, as figures show it. */
export const label = (text: string): string => oneLine(text, 100);

/** An environment's id; of a file its name. */
export const environmentLabel = (environment: string): string =>
  label(/\.[cm]?[jt]s$/.test(environment) ? basename(environment) : environment);

/** Settings in which runs that are shown together may differ without a name for it. */
export const unnamedSettings: readonly string[] = [
  "run.seed",
  "environment.id",
  "run.checkpointEvery",
  "run.logEvery",
  "run.executor",
  "run.precision",
  "run.instructionSet",
];

/** What of a run its variant is told by. */
export type ConfiguredRun = Pick<TrainedRun, "algorithm" | "environment" | "settings">;

/**
 * Names runs for their algorithm, and for the settings in which the runs of this algorithm on one environment differ:
 * `A2C, tau 0.01`.
 */
export function variantNames(runs: readonly ConfiguredRun[]): readonly string[] {
  const differing = differingSettings(runs);
  return runs.map(({ algorithm, settings }) => {
    const values = Object.keys(settings)
      .filter((name) => differing.get(algorithm)?.has(name))
      .map((name) => `${name.replace(/^\w+\./, "")} ${String(settings[name] ?? "none")}`);
    return label([titleOf(algorithm), ...values].join(", "));
  });
}

/** For each algorithm the settings in which its runs on one environment differ. */
function differingSettings(runs: readonly ConfiguredRun[]): ReadonlyMap<string, ReadonlySet<string>> {
  const firsts = new Map<string, ConfiguredRun>();
  const differing = new Map<string, Set<string>>();
  for (const run of runs) {
    const { algorithm, environment, settings } = run;
    const key = JSON.stringify([algorithm, environment]);
    const first = firsts.get(key) ?? run;
    firsts.set(key, first);
    const names = differing.get(algorithm) ?? new Set<string>();
    differing.set(algorithm, names);
    for (const name of Object.keys({ ...first.settings, ...settings })) {
      if (!unnamedSettings.includes(name) && settings[name] !== first.settings[name]) names.add(name);
    }
  }
  return differing;
}

const titleOf = (algorithm: string): string =>
  builtInAlgorithms.find(({ name }) => name === algorithm)?.title ?? algorithm;
