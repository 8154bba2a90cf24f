import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { replaceFile } from "../files/regular-file.js";
import type { OptionValues } from "../options/plain-options.js";
import { findRuns } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { csvText, runTables, tableNames } from "../runs/run-tables.js";
import { counted, type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl csv <runs>`: tables of all runs, a file for each kind of event. */
export async function csvCommand(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const out = String(options.out);
  requireFree(out, options.overwrite === true);
  const tables = findRuns(paths).map(({ name, folder }) => runTables(name, join(folder, runFiles.events)));
  const files: { file: string; rows: number }[] = [];
  try {
    makeFolders(out);
    for (const name of tableNames) {
      const rows = tables.flatMap((table) => table[name]);
      const file = join(out, `${name}.csv`);
      // A table without rows has no header to write; an earlier one must not stay in its place.
      if (rows.length === 0) {
        rmSync(file, { force: true });
        continue;
      }
      replaceFile(file, csvText(rows));
      files.push({ file, rows: rows.length });
    }
  } catch (error) {
    const details = { got: error instanceof Error ? error.message : String(error), remedy: "choose another" };
    throw new SoftrlError("--out", `${out} cannot be written`, details, { cause: error });
  }
  if (options.json === true) writeJson(terminal.out, { out, files });
  else for (const { file, rows } of files) terminal.out.write(`${file}: ${counted(rows)} rows\n`);
  return 0;
}

/** @throws SoftrlError for a folder with files in it that are not tables to overwrite. */
function requireFree(out: string, overwrite: boolean): void {
  const isTable = (name: string) => tableNames.some((table) => name === `${table}.csv`);
  const names = existsSync(out) ? entriesOf(out) : [];
  const strange = names.filter((name) => !(overwrite && isTable(name)));
  if (strange.length === 0) return;
  throw new SoftrlError("--out", `${out} is not empty`, {
    expected: "a new or empty folder",
    got: strange.slice(0, 3).join(", "),
    remedy: strange.every(isTable) ? "choose another, or pass --overwrite" : "choose another",
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
