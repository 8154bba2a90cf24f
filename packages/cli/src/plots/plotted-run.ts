import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type LearningCurve, SoftrlError } from "softrl";
import { cutText, distinctRows, numberIn, readCsv } from "../files/csv-file.js";
import { findRuns, hasRunsIn } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { sweepFiles } from "../sweeps/results-file.js";
import { refuseRepeated, repeatedRun } from "./repeated-run.js";
import { label, type TrainedRun, trainedRun, variantNames } from "./trained-run.js";

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

const tables: readonly string[] = [sweepFiles.results, sweepFiles.curves];

/**
 * The runs that the arguments of `softrl plot` name: run folders, folders with run folders in them, experiments with
 * their tables, or the tables themselves. A table that is named twice counts once.
 * @param warn takes what is left out of the tables
 * @throws SoftrlError for an argument that names no run, and for two runs of the same variant, environment and seed.
 */
export function plottedRuns(
  paths: readonly string[],
  warn: (line: string) => void = () => {},
): readonly PlottedRun[] {
  const isTable = (path: string) => path.endsWith(".csv");
  // The folders of `train --seeds` have both: the settings of their runs tell the runs of two such folders apart.
  const isExperiment = (path: string) =>
    !existsSync(join(path, runFiles.events)) &&
    tables.some((name) => existsSync(join(path, name))) &&
    !hasRunsIn(path);
  const files = paths.flatMap((path) => {
    if (isTable(path)) return [path];
    if (!isExperiment(path)) return [];
    return tables.map((name) => join(path, name)).filter((name) => existsSync(name));
  });
  const ofTables = runsOfTables([...new Map(files.map((path) => [resolve(path), path])).values()], warn);
  const folders = findRuns(paths.filter((path) => !isTable(path) && !isExperiment(path)));
  const runs = [...ofTables, ...named(folders.map(({ folder }) => trainedRun(folder)))];
  if (runs.length === 0) throw new SoftrlError(paths.join(", "), "there are no runs to plot");
  const repeated = repeatedRun(runs);
  if (repeated !== null) {
    const [first, second] = repeated.map((i) => folders[i - ofTables.length]?.folder ?? "a table");
    refuseRepeated("plot", runs[repeated[0]], `${first} and ${second}`);
  }
  return runs;
}

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

/** A run as far as tables have been read. */
interface Growing extends Pick<PlottedRun, "variant" | "environment" | "seed"> {
  readonly points: { readonly step: number; readonly mean: number }[];
  score: number | null;
  /** The table of its score, and that of its curve. */
  readonly from: { score?: string; curve?: string };
}

/**
 * The runs in tables, each of which may have curves, or scores, or both.
 * @throws SoftrlError for a run with two scores, and for a curve in two tables or with two points at one step.
 */
function runsOfTables(paths: readonly string[], warn: (line: string) => void): readonly PlottedRun[] {
  const runs = new Map<string, Growing>();
  for (const path of paths) {
    const table = readCsv(path);
    if (table.isCut) warn(cutText(path));
    const isCurve = table.columns.includes("step");
    const seen = new Set<string>();
    const named = ["variant", "environment", "seed", ...(isCurve ? ["step"] : [])];
    for (const { row, where } of distinctRows(path, table, named)) {
      const cell = (name: string) => row[name] ?? missing(path, name, Object.keys(row));
      const [variant, environment, seed] = ["variant", "environment", "seed"].map((name) =>
        label(cell(name)),
      );
      const key = JSON.stringify([variant, environment, seed]);
      const run = runs.get(key) ?? { variant, environment, seed, points: [], score: null, from: {} };
      runs.set(key, run);
      const mean = numberIn(where, "meanReturn", cell("meanReturn"));
      const step = isCurve ? numberIn(where, "step", cell("step")) : null;
      const what = isCurve ? "curve" : "score";
      const before = run.from[what] ?? path;
      const point = `${key} ${step}`;
      if (before !== path || seen.has(point)) refuseRepeated("plot", run, `${before} and ${where}`);
      seen.add(point);
      run.from[what] = path;
      if (step === null) run.score = mean;
      else run.points.push({ step, mean });
    }
  }
  return [...runs.values()].map(({ points, score, from: _, ...run }) => {
    const ascending = points.sort((a, b) => a.step - b.step);
    const [steps, meanReturns] = [ascending.map(({ step }) => step), ascending.map(({ mean }) => mean)];
    return {
      ...run,
      curve: steps.length === 0 ? null : { steps, meanReturns },
      score: score ?? meanReturns.at(-1) ?? null,
    };
  });
}

function named(runs: readonly TrainedRun[]): readonly PlottedRun[] {
  const names = variantNames(runs);
  return runs.map(({ environment, seed, curve, score }, i) => ({
    variant: names[i],
    environment,
    seed,
    curve,
    score,
  }));
}

function missing(path: string, name: string, got: readonly string[]): never {
  throw new SoftrlError(path, `there is no column ${name}`, {
    expected: "a table of an experiment: variant, environment, seed, meanReturn, of curves also step",
    got: got.join(", "),
  });
}
