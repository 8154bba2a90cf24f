import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { writeTogether } from "../files/out-file.js";
import { TextWriter } from "../files/regular-file.js";
import { outFault } from "../files/write-fault.js";
import type { OptionValues } from "../options/plain-options.js";
import { findRuns } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { csvLine, readTables, type TableName, tableNames } from "../runs/run-tables.js";
import { shownPath } from "../terminal/shown-path.js";
import { counted, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl csv <runs>`: tables of all runs, a file for each kind of event. */
export async function csvCommand(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const out = String(options.out);
  const overwrite = options.overwrite === true;
  requireFreeFolder(out, overwrite);
  const runs = findRuns(paths).map(({ name, folder }) => ({ name, events: join(folder, runFiles.events) }));
  const columns = columnsOf(runs);
  let files: readonly { readonly file: string; readonly rows: number }[];
  let removeMade = () => {};
  try {
    removeMade = makeFolders(out);
    // A table without rows has no header to write; an earlier one must not stay in its place.
    for (const name of tableNames) if (!columns.has(name)) rmSync(join(out, `${name}.csv`), { force: true });
    files = writeTables(out, runs, columns, overwrite);
  } catch (error) {
    removeMade();
    throw outFault(out, error);
  }
  if (options.json === true) writeJson(terminal.out, { out, files });
  else
    for (const { file, rows } of files)
      terminal.out.write(`${shownPath(file)}: ${counted(rows)} row${rows === 1 ? "" : "s"}\n`);
  return 0;
}

/** A run, and the file of its events. */
interface NamedEvents {
  readonly name: string;
  readonly events: string;
}

type Columns = ReadonlyMap<TableName, ReadonlySet<string>>;

/** More than any run has: what a file of others claims must not fill the disk with empty cells. */
const MOST_COLUMNS = 1000;

/** The columns of each table that has rows, in the order in which they first come. */
function columnsOf(runs: readonly NamedEvents[]): Columns {
  const columns = new Map<TableName, Set<string>>();
  for (const { name, events } of runs) {
    readTables(name, events, (table, row) => {
      const names = columns.get(table) ?? new Set();
      columns.set(table, names);
      for (const column of Object.keys(row)) names.add(column);
      if (names.size <= MOST_COLUMNS) return;
      throw new SoftrlError(events, `the table ${table} has too many columns`, {
        expected: `at most ${MOST_COLUMNS}`,
        got: String(names.size),
        remedy: "leave this run out",
      });
    });
  }
  return columns;
}

/** Writes all tables while the events are read once. */
function writeTables(out: string, runs: readonly NamedEvents[], columns: Columns, overwrite: boolean) {
  const tables = tableNames.flatMap((table) => {
    const names = columns.get(table);
    return names === undefined ? [] : [{ table, names: [...names] }];
  });
  const files = tables.map(({ table }) => join(out, `${table}.csv`));
  const rows = tables.map(() => 0);
  writeTogether(files, overwrite, (opened) => {
    const writers = opened.map((file) => new TextWriter(file));
    tables.forEach(({ names }, i) => {
      writers[i].add(csvLine(names));
    });
    for (const { name, events } of runs) {
      readTables(name, events, (table, row) => {
        const i = tables.findIndex((each) => each.table === table);
        // A run that is being trained may have got its first row of a table just now.
        if (i === -1) return;
        writers[i].add(csvLine(tables[i].names.map((column) => row[column])));
        rows[i]++;
      });
    }
    for (const writer of writers) writer.flush();
  });
  return files.map((file, i) => ({ file, rows: rows[i] }));
}

/** @throws SoftrlError for a folder with files in it that are not tables to overwrite. */
function requireFreeFolder(out: string, overwrite: boolean): void {
  const isTable = (name: string) => tableNames.some((table) => name === `${table}.csv`);
  const names = existsSync(out) ? entriesOf(out) : [];
  const strange = names.filter((name) => !(overwrite && isTable(name)));
  if (strange.length === 0) return;
  throw new SoftrlError("--out", `${out} is not empty`, {
    expected: "a new or empty folder",
    got: strange.slice(0, 3).join(", "),
    remedy: strange.every(isTable)
      ? "choose another with --out, or pass --overwrite"
      : "choose another with --out",
  });
}

function entriesOf(out: string): readonly string[] {
  try {
    return readdirSync(out);
  } catch (error) {
    const details = { expected: "a folder", got: error instanceof Error ? error.message : String(error) };
    throw new SoftrlError("--out", `${out} cannot be read`, details, { cause: error });
  }
}
