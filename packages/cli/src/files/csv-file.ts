import { SoftrlError } from "softrl";
import { DRAWABLE, isDrawable } from "../runs/return-range.js";
import { readRegular } from "./regular-file.js";

/** More than any table of results has. */
const MOST_BYTES = 2 ** 28;

/** The cells of a row by the names in the header. */
export type CsvRow = Readonly<Record<string, string>>;

/** What a CSV file holds. */
export interface CsvTable {
  /** The names of the columns; none of an empty file. */
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
  /** Whether the last line has no line break. It was cut off, and is not among the rows: 21.0109 may end as 21. */
  readonly isCut: boolean;
}

/** What to tell of a table that {@link CsvTable.isCut}. */
export const cutText = (path: string): string =>
  `${path}: the last line is left out: it has no line break, so that a part of it may be missing`;

/**
 * The rows of a CSV file (RFC 4180) by the names in its header.
 * @throws SoftrlError when it cannot be read, has a quote in the wrong place, or a row has another number of cells than
 *   the header.
 */
export const readCsv = (path: string): CsvTable => parseCsv(path, readText(path));

/**
 * {@link readCsv} of a text.
 * @param path what errors name
 */
export function parseCsv(path: string, text: string): CsvTable {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [columns = [], ...lines] = linesOf(path, whole);
  const names = new Set<string>();
  const twice = columns.find((name) => names.size === names.add(name).size);
  if (twice !== undefined) {
    throw new SoftrlError(path, "two columns have the same name", { got: JSON.stringify(twice) });
  }
  const rows = lines.map((cells, row) => {
    if (cells.length !== columns.length) {
      throw new SoftrlError(path, `row ${row + 1} has another number of cells than the header`, {
        expected: String(columns.length),
        got: String(cells.length),
      });
    }
    return Object.fromEntries(columns.map((name, column) => [name, cells[column]]));
  });
  return { columns, rows, isCut: whole.length < text.length };
}

/** A row, and how errors name it. */
export interface PlacedRow {
  readonly row: CsvRow;
  readonly where: string;
}

/**
 * The rows of a table of which one each is expected for the cells in some columns. A row that is there twice, as after a
 * merge of two branches, counts once.
 * @throws SoftrlError for two rows that have the same cells in these columns, and others elsewhere.
 */
export function distinctRows(
  path: string,
  { columns, rows }: CsvTable,
  names: readonly string[],
): readonly PlacedRow[] {
  const placed = rows.map((row, i) => ({ row, where: `${path}: row ${i + 1}` }));
  // Whoever reads a missing column reports it.
  if (!names.every((name) => columns.includes(name))) return placed;
  const firsts = new Map<string, PlacedRow>();
  return placed.filter((each) => {
    const key = JSON.stringify(names.map((name) => each.row[name]));
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, each);
    else if (columns.some((name) => first.row[name] !== each.row[name])) refuseTwo(first, each, names);
    return first === undefined;
  });
}

function refuseTwo(first: PlacedRow, second: PlacedRow, names: readonly string[]): never {
  const shared = names.map((name) => `${name} ${JSON.stringify(first.row[name])}`).join(", ");
  throw new SoftrlError(second.where, "the table has two different rows for the same run", {
    expected: `one row with ${shared}`,
    got: `another one: ${first.where}`,
    remedy: "remove the wrong one",
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
  if (isDrawable(value)) return value;
  throw new SoftrlError(where, `${name} is not valid`, {
    expected: Number.isFinite(value) ? DRAWABLE : "a number",
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
function linesOf(path: string, text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  const refuse = (what: string): never => {
    const where = lines.length === 0 ? "the header" : `row ${lines.length}`;
    throw new SoftrlError(`${path}: ${where}`, what, {
      expected: 'quotes around a whole cell, and two for one inside it: "a ""b"""',
      remedy: "restore the row",
    });
  };
  const plain = /[^",\r\n]*/y;
  const end = /,|\r?\n/y;
  for (let at = 0; at < text.length; at = end.lastIndex) {
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1) ?? refuse("a quote is not closed");
      cells.push(text.slice(at + 1, close).replaceAll('""', '"'));
      end.lastIndex = close + 1;
    } else {
      plain.lastIndex = at;
      const [cell] = plain.exec(text) ?? [""];
      cells.push(cell);
      end.lastIndex = at + cell.length;
    }
    const [separator] = end.exec(text) ?? refuse("a quote or a carriage return is inside a cell");
    if (separator === ",") continue;
    lines.push(cells);
    cells = [];
  }
  return lines;
}

/** Where the quote that closes a cell is; null where none does. */
function closingQuote(text: string, from: number): number | null {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return null;
}
