import { existsSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { type CsvRow, numberIn, parseCsv, readText } from "../files/csv-file.js";
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

export const nameOfCell = ({ variant, environment, seed }: SweepCell): string =>
  JSON.stringify([variant, environment, seed]);

/**
 * The results in a folder by {@link nameOfCell}, in the order of the file; none where there is no file. Of two rows of one
 * run the later one counts. A last line that was cut off is left out: its run is made again.
 * @throws SoftrlError for a row that is damaged otherwise.
 */
export function readResults(folder: string): ReadonlyMap<string, SweepResult> {
  const curves = new Map<string, CurvePoint[]>();
  for (const { row, where } of rowsOf(folder, "curves")) {
    const name = nameOfCell(cellIn(row, where));
    const points = curves.get(name) ?? [];
    points.push({ step: resultIn(row, "step", where), meanReturn: resultIn(row, "meanReturn", where) });
    curves.set(name, points);
  }
  const times = new Map<string, RunTime>();
  for (const { row, where } of rowsOf(folder, "times")) {
    const stepsPerSecond = resultIn(row, "stepsPerSecond", where);
    times.set(nameOfCell(cellIn(row, where)), { stepsPerSecond, cpu: row.cpu ?? "" });
  }
  const results = new Map<string, SweepResult>();
  for (const { row, where } of rowsOf(folder, "results")) {
    const cell = cellIn(row, where);
    const name = nameOfCell(cell);
    results.set(name, {
      ...cell,
      meanReturn: resultIn(row, "meanReturn", where),
      episodes: resultIn(row, "episodes", where),
      steps: resultIn(row, "steps", where),
      executor: row.executor ?? "",
      version: row.version ?? "",
      key: row.key ?? "",
      curve: curves.get(name) ?? [],
      time: times.get(name) ?? null,
    });
  }
  return results;
}

/**
 * Writes the results of a folder, each file as a whole: those of the definition in its order, then all others in theirs.
 * The curves come first, since a run counts once it has its row of `results.csv`.
 */
export function writeResults(
  folder: string,
  results: ReadonlyMap<string, SweepResult>,
  order: readonly SweepCell[],
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
  write(
    "curves",
    rows.flatMap((result) => result.curve.map((point) => ({ ...cellOf(result), ...point }))),
  );
  write(
    "times",
    rows.flatMap((result) => (result.time === null ? [] : [{ ...cellOf(result), ...result.time }])),
  );
  write(
    "results",
    rows.map(({ curve: _, time: __, ...result }) => result),
  );
}

interface FoundRow {
  readonly row: CsvRow;
  readonly where: string;
}

function rowsOf(folder: string, file: keyof typeof sweepFiles): readonly FoundRow[] {
  const path = join(folder, sweepFiles[file]);
  if (!existsSync(path)) return [];
  const text = readText(path);
  // What follows the last line break was cut off.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return parseCsv(path, whole).map((row, i) => ({ row, where: `${path}: row ${i + 1}` }));
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
