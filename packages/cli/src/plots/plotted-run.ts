import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { builtInAlgorithms, type LearningCurve, oneLine, SoftrlError } from "softrl";
import { readCsv } from "../files/csv-file.js";
import { readEvents } from "../runs/event-file.js";
import { findRuns } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { type Cell, settingsIn } from "../runs/run-settings.js";

/** A run as figures show it. */
export interface PlottedRun {
  /** What runs that differ in their seed alone have in common: a line of the legend. */
  readonly variant: string;
  readonly environment: string;
  readonly seed: string;
  /** The mean return of the last 100 training episodes against environment steps; null where only the score is known. */
  readonly curve: LearningCurve | null;
  /** The last mean return; null where no episode ended. */
  readonly score: number | null;
}

const tables = { results: "results.csv", curves: "curves.csv" } as const;

/**
 * The runs that the arguments of `softrl plot` name: run folders, folders with run folders in them, experiments with
 * their tables, or the tables themselves.
 * @throws SoftrlError for an argument that names no run.
 */
export function plottedRuns(paths: readonly string[]): readonly PlottedRun[] {
  const isTable = (path: string) => path.endsWith(".csv");
  const isExperiment = (path: string) =>
    !existsSync(join(path, runFiles.events)) &&
    Object.values(tables).some((name) => existsSync(join(path, name)));
  const ofTables = paths.flatMap((path) => {
    if (isTable(path)) return runsOfTables([path]);
    if (!isExperiment(path)) return [];
    return runsOfTables(
      Object.values(tables)
        .map((name) => join(path, name))
        .filter((name) => existsSync(name)),
    );
  });
  const folders = paths.filter((path) => !isTable(path) && !isExperiment(path));
  const runs = [...ofTables, ...named(findRuns(folders).map(({ folder }) => trainedRun(folder)))];
  if (runs.length === 0) throw new SoftrlError(paths.join(", "), "there are no runs to plot");
  return runs;
}

/** The runs in the tables of an experiment, each of which may have curves, or scores, or both. */
/**
 * The runs of some variants, in the order of their names.
 * @throws SoftrlError for a name that no run has.
 */
export function ofVariants(runs: readonly PlottedRun[], names: readonly string[]): readonly PlottedRun[] {
  return [...new Set(names)].flatMap((name) => {
    const own = runs.filter(({ variant }) => variant === name);
    if (own.length > 0) return own;
    throw new SoftrlError("--variant", "the runs have no such variant", {
      expected: [...new Set(runs.map(({ variant }) => JSON.stringify(variant)))].join(", "),
      got: JSON.stringify(name),
    });
  });
}

function runsOfTables(paths: readonly string[]): readonly PlottedRun[] {
  interface Growing {
    readonly variant: string;
    readonly environment: string;
    readonly seed: string;
    readonly points: { readonly step: number; readonly mean: number }[];
    score: number | null;
  }
  const runs = new Map<string, Growing>();
  for (const path of paths) {
    const rows = readCsv(path);
    const isCurve = rows.length > 0 && "step" in rows[0];
    rows.forEach((row, i) => {
      const where = `${path}: row ${i + 1}`;
      const cell = (name: string) => row[name] ?? missing(path, name, Object.keys(row));
      const [variant, environment, seed] = ["variant", "environment", "seed"].map((name) =>
        label(cell(name)),
      );
      const key = JSON.stringify([variant, environment, seed]);
      const run = runs.get(key) ?? { variant, environment, seed, points: [], score: null };
      runs.set(key, run);
      const mean = numberIn(where, "meanReturn", cell("meanReturn"));
      if (isCurve) run.points.push({ step: numberIn(where, "step", cell("step")), mean });
      else run.score = mean;
    });
  }
  return [...runs.values()].map(({ points, score, ...run }) => {
    const ascending = points.sort((a, b) => a.step - b.step);
    const [steps, meanReturns] = [ascending.map(({ step }) => step), ascending.map(({ mean }) => mean)];
    return {
      ...run,
      curve: steps.length === 0 ? null : { steps, meanReturns },
      score: score ?? meanReturns.at(-1) ?? null,
    };
  });
}

/** A text from a file, as a picture shows it. */
const label = (text: string): string => oneLine(text, 100);

function missing(path: string, name: string, got: readonly string[]): never {
  throw new SoftrlError(path, `there is no column ${name}`, {
    expected: "a table of an experiment: variant, environment, seed, meanReturn, of curves also step",
    got: got.join(", "),
  });
}

function numberIn(where: string, name: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new SoftrlError(where, `${name} is not valid`, { expected: "a number", got: JSON.stringify(text) });
}

/** A run of a run folder, with all its settings. */
interface TrainedRun extends Omit<PlottedRun, "variant"> {
  readonly algorithm: string;
  readonly settings: Readonly<Record<string, Cell>>;
}

function trainedRun(folder: string): TrainedRun {
  const path = join(folder, runFiles.events);
  const steps: number[] = [];
  const meanReturns: number[] = [];
  let settings: TrainedRun["settings"] = {};
  readEvents(path, ({ event, step, meanReturn, config }) => {
    if (event === "started") settings = settingsIn(config);
    if (event !== "update" || typeof step !== "number" || typeof meanReturn !== "number") return;
    steps.push(step);
    meanReturns.push(meanReturn);
  });
  const { "environment.id": environment, "algorithm.name": algorithm, "run.seed": seed } = settings;
  if (typeof environment !== "string" || typeof algorithm !== "string") {
    throw new SoftrlError(path, "the events do not begin with the run's settings", {
      expected: 'the event "started" with its config',
    });
  }
  const curve = { steps, meanReturns };
  const score = meanReturns.at(-1) ?? null;
  return { algorithm, environment: label(nameOf(environment)), seed: String(seed), settings, curve, score };
}

/** An environment's id; of a file its name. */
const nameOf = (environment: string): string =>
  /\.[cm]?[jt]s$/.test(environment) ? basename(environment) : environment;

/** Settings in which runs that are shown together may differ without a name for it. */
const unnamed: readonly string[] = [
  "run.seed",
  "environment.id",
  "run.checkpointEvery",
  "run.logEvery",
  "run.executor",
  "run.precision",
  "run.instructionSet",
];

/**
 * Names runs for their algorithm, and for the settings in which the runs of this algorithm on one environment differ:
 * `A2C, tau 0.01`.
 */
function named(runs: readonly TrainedRun[]): readonly PlottedRun[] {
  const differing = differingSettings(runs);
  return runs.map(({ algorithm, settings, ...run }) => {
    const values = Object.keys(settings)
      .filter((name) => differing.get(algorithm)?.has(name))
      .map((name) => `${name.replace(/^\w+\./, "")} ${String(settings[name] ?? "none")}`);
    return { ...run, variant: label([titleOf(algorithm), ...values].join(", ")) };
  });
}

/** For each algorithm the settings in which its runs on one environment differ. */
function differingSettings(runs: readonly TrainedRun[]): ReadonlyMap<string, ReadonlySet<string>> {
  const firsts = new Map<string, TrainedRun>();
  const differing = new Map<string, Set<string>>();
  for (const run of runs) {
    const { algorithm, environment, settings } = run;
    const key = JSON.stringify([algorithm, environment]);
    const first = firsts.get(key) ?? run;
    firsts.set(key, first);
    const names = differing.get(algorithm) ?? new Set<string>();
    differing.set(algorithm, names);
    for (const name of Object.keys({ ...first.settings, ...settings })) {
      if (!unnamed.includes(name) && settings[name] !== first.settings[name]) names.add(name);
    }
  }
  return differing;
}

const titleOf = (algorithm: string): string =>
  builtInAlgorithms.find(({ name }) => name === algorithm)?.title ?? algorithm;
