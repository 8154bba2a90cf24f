import { SoftrlError } from "softrl";
import { readRegular } from "./regular-file.js";

/** More than any table of results has. */
const MOST_BYTES = 2 ** 28;

/** The cells of a row by the names in the header. */
export type CsvRow = Readonly<Record<string, string>>;

/**
 * The rows of a CSV file (RFC 4180) by the names in its header.
 * @throws SoftrlError when it cannot be read, or a row has another number of cells than the header.
 */
export const readCsv = (path: string): readonly CsvRow[] => parseCsv(path, readText(path));

/**
 * {@link readCsv} of a text.
 * @param path what errors name
 */
export function parseCsv(path: string, text: string): readonly CsvRow[] {
  const [header = [], ...rows] = cellsOf(text);
  return rows.map((cells, row) => {
    if (cells.length !== header.length) {
      throw new SoftrlError(path, `row ${row + 1} has another number of cells than the header`, {
        expected: String(header.length),
        got: String(cells.length),
      });
    }
    return Object.fromEntries(header.map((name, column) => [name, cells[column]]));
  });
}

/**
 * The number in a cell.
 * @param where the row, as errors name it
 * @param name of the column
 * @param text undefined where there is no such column
 * @throws SoftrlError for another text.
 */
export function numberIn(
  where: string,
  name: string,
  text: string | undefined,
  remedy = "restore the row, or remove it",
): number {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new SoftrlError(where, `${name} is not valid`, {
    expected: "a number",
    got: JSON.stringify(text) ?? "no such column",
    remedy,
  });
}

/** @throws SoftrlError when the file cannot be read. */
export function readText(path: string): string {
  try {
    return readRegular(path, MOST_BYTES)
      .toString("utf8")
      .replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new SoftrlError(path, "the table could not be read", { got }, { cause: error });
  }
}

/** The cells of each line; in quotes, commas and line breaks are text, and two quotes are one. */
function cellsOf(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  for (const [whole, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    // The match at the very end, after the last line break.
    if (whole === "" && cells.length === 0) break;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") continue;
    lines.push(cells);
    cells = [];
    if (end === "") break;
  }
  return lines;
}
