import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { SoftrlError } from "softrl";
import {
  type CsvRow,
  type CsvTable,
  cutText,
  distinctRows,
  numberIn,
  type PlacedRow,
  readCsv,
} from "../files/csv-file.js";
import { replaceFile } from "../files/regular-file.js";
import { csvText, type Row } from "../runs/run-tables.js";
import type { SweepCell } from "./sweep-plan.js";

/**
 * The tables of a sweep. `results.csv` and `curves.csv` hold nothing that depends on time, so that an interrupted sweep
 * gives the same bytes as another; what depends on the machine's speed is in `times.csv`.
 */
export const sweepFiles = { results: "results.csv", curves: "curves.csv", times: "times.csv" } as const;

/** A point of a learning curve: the mean return of the last 100 training episodes. */
export interface CurvePoint {
  readonly step: number;
  readonly meanReturn: number;
}

/** A finished run, under the name of one variant. */
export interface SweepResult extends SweepCell {
  readonly meanReturn: number;
  readonly episodes: number;
  readonly steps: number;
  /** With its instruction set: `native avx512`. */
  readonly executor: string;
  /** Of the code; empty in rows of softrl before it had sweeps. */
  readonly version: string;
  /** The key of the run; empty in those rows, too. */
  readonly key: string;
  readonly curve: readonly CurvePoint[];
  /** How fast the run was, and where; null where it is not known. */
  readonly time: RunTime | null;
}

export interface RunTime {
  readonly stepsPerSecond: number;
  readonly cpu: string;
}

const cellNames: readonly string[] = ["variant", "environment", "seed"];

export const nameOfCell = ({ variant, environment, seed }: SweepCell): string =>
  JSON.stringify([variant, environment, seed]);

/** What the tables in a folder hold. */
export interface SweepTables {
  /** By {@link nameOfCell}, in the order of the file. */
  readonly results: ReadonlyMap<string, SweepResult>;
  /** Points of curves whose runs have no row of `results.csv`. */
  readonly lone: readonly (SweepCell & CurvePoint)[];
  /** What is left out, for people. */
  readonly warnings: readonly string[];
  /** The columns of each file, by its path. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
}

/** All that {@link writeResults} writes. */
const ownColumns: Readonly<Record<string, readonly string[]>> = {
  [sweepFiles.results]: ["meanReturn", "episodes", "steps", "executor", "version", "key"],
  [sweepFiles.curves]: ["step", "meanReturn"],
  [sweepFiles.times]: ["stepsPerSecond", "cpu"],
};

/** @throws SoftrlError for a column that {@link writeResults} would lose. */
export function requireOwnColumns({ columns }: SweepTables): void {
  for (const [path, names] of columns) {
    const own = [...cellNames, ...ownColumns[basename(path)]];
    const other = names.find((name) => !own.includes(name));
    if (other === undefined) continue;
    throw new SoftrlError(path, "a sweep would lose this column when it writes the table", {
      expected: own.join(", "),
      got: JSON.stringify(other),
      remedy: "keep it in another file, or pass --out with another folder",
    });
  }
}

/** The results of {@link readSweepTables}. */
export const readResults = (folder: string): ReadonlyMap<string, SweepResult> =>
  readSweepTables(folder).results;

/**
 * Reads the tables in a folder; they are empty where there is no file. A row that is there twice counts once; of two times
 * of one run the later one counts. A last line that was cut off is left out: if it is a result, its run is made again.
 * @throws SoftrlError for a row that is damaged otherwise, and for two different rows of one run.
 */
export function readSweepTables(folder: string): SweepTables {
  const found = {
    curves: tableIn(folder, "curves"),
    times: tableIn(folder, "times"),
    results: tableIn(folder, "results"),
  };
  const curves = new Map<string, (SweepCell & CurvePoint)[]>();
  for (const { row, where } of distinctRows(found.curves.path, found.curves.table, [...cellNames, "step"])) {
    const cell = cellIn(row, where);
    const name = nameOfCell(cell);
    const points = curves.get(name) ?? [];
    curves.set(name, points);
    points.push({
      ...cell,
      step: resultIn(row, "step", where),
      meanReturn: resultIn(row, "meanReturn", where),
    });
  }
  const times = new Map<string, RunTime>();
  found.times.table.rows.forEach((row, i) => {
    const where = `${found.times.path}: row ${i + 1}`;
    const stepsPerSecond = resultIn(row, "stepsPerSecond", where);
    times.set(nameOfCell(cellIn(row, where)), { stepsPerSecond, cpu: row.cpu ?? "" });
  });
  const results = new Map<string, SweepResult>();
  for (const placed of distinctRows(found.results.path, found.results.table, cellNames)) {
    const { row, where } = placed;
    const cell = cellIn(row, where);
    const name = nameOfCell(cell);
    const curve = (curves.get(name) ?? []).map(({ step, meanReturn }) => ({ step, meanReturn }));
    results.set(name, { ...resultOf(cell, placed), curve, time: times.get(name) ?? null });
  }
  const lone = [...curves].flatMap(([name, points]) => (results.has(name) ? [] : points));
  const warnings = Object.values(found).flatMap(({ path, table }) => (table.isCut ? [cutText(path)] : []));
  const columns = new Map(Object.values(found).map(({ path, table }) => [path, table.columns]));
  return { results, lone, warnings, columns };
}

function resultOf(cell: SweepCell, { row, where }: PlacedRow): Omit<SweepResult, "curve" | "time"> {
  return {
    ...cell,
    meanReturn: resultIn(row, "meanReturn", where),
    episodes: resultIn(row, "episodes", where),
    steps: resultIn(row, "steps", where),
    executor: row.executor ?? "",
    version: row.version ?? "",
    key: row.key ?? "",
  };
}

/**
 * Writes the results of a folder, each file as a whole: those of the definition in its order, then all others in theirs.
 * The curves come first, since a run counts once it has its row of `results.csv`.
 * @param lone as {@link SweepTables.lone}: those of runs without a result stay
 */
export function writeResults(
  folder: string,
  results: ReadonlyMap<string, SweepResult>,
  order: readonly SweepCell[],
  lone: SweepTables["lone"] = [],
): void {
  const names = new Set([...order.map(nameOfCell), ...results.keys()]);
  const rows = [...names].flatMap((name) => {
    const result = results.get(name);
    return result === undefined ? [] : [result];
  });
  const cellOf = ({ variant, environment, seed }: SweepResult) => ({ variant, environment, seed });
  const write = (file: keyof typeof sweepFiles, table: readonly Row[]) => {
    if (table.length > 0) replaceFile(join(folder, sweepFiles[file]), csvText(table));
  };
  write("curves", [
    ...rows.flatMap((result) => result.curve.map((point) => ({ ...cellOf(result), ...point }))),
    ...lone.filter((point) => !results.has(nameOfCell(point))).map((point) => ({ ...point })),
  ]);
  write(
    "times",
    rows.flatMap((result) => (result.time === null ? [] : [{ ...cellOf(result), ...result.time }])),
  );
  write(
    "results",
    rows.map(({ curve: _, time: __, ...result }) => result),
  );
}

interface FoundTable {
  readonly path: string;
  readonly table: CsvTable;
}

function tableIn(folder: string, file: keyof typeof sweepFiles): FoundTable {
  const path = join(folder, sweepFiles[file]);
  return { path, table: existsSync(path) ? readCsv(path) : { columns: [], rows: [], isCut: false } };
}

function cellIn(row: CsvRow, where: string): SweepCell {
  const { variant, environment } = row;
  if (variant === undefined || environment === undefined) {
    throw new SoftrlError(where, "there is no column variant or environment", {
      expected: "a table of a sweep: variant, environment, seed, meanReturn, …",
      got: Object.keys(row).join(", "),
    });
  }
  return { variant, environment, seed: resultIn(row, "seed", where) };
}

const resultIn = (row: CsvRow, name: string, where: string): number =>
  numberIn(where, name, row[name], "restore the row, or remove it: its run is then made again");
