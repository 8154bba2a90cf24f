import { largest } from "softrl";

/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/** Seconds from any origin, for speeds. */
export const clock = (): number => performance.now() / 1000;

/** Lets signals and timers through; a training loop of promises alone never would. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One line of JSON, the last of a `--json` command. */
export function writeJson(stream: NodeJS.WriteStream, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

/** A number with three significant digits, or all those before the point: 0.697, 36.8, 1235; a dash for none. */
export function inShort(value: number | null): string {
  if (value === null) return "–";
  if (value === 0) return "0";
  const text = value.toPrecision(3);
  // From 1000 on toPrecision writes an exponent.
  return Math.abs(Number(text)) >= 1000 ? value.toFixed(0) : text;
}

/** A count with thin groups of three: 500 000. */
export function counted(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, " ");
}

/** The width of plots and tables: they fit beside other text, and in a narrow window. */
export const MOST_COLUMNS = 60;

/** The columns that a plot or a table may take: those of the terminal, at most {@link MOST_COLUMNS}. */
export const columnsOf = ({ columns }: NodeJS.WriteStream): number =>
  Math.min(MOST_COLUMNS, columns > 0 ? columns : MOST_COLUMNS);

/** Joins entries into lines of at most `columns`; a longer entry has a line of its own. */
export function inLines(entries: readonly string[], separator: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const entry of entries) {
    const line = lines.at(-1);
    const longer = line === undefined ? entry : `${line}${separator}${entry}`;
    if (line === undefined || width(longer) > columns) lines.push(entry);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/** {@link table} with a note below each row, indented, in lines of at most `columns`; the header has one, too. */
export function tableWithNotes(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  [title, ...notes]: readonly string[],
  columns: number,
): string {
  const [first, ...lines] = table(header, rows).split("\n");
  const note = (text: string) => inLines(text.split(" "), " ", columns - 2).map((line) => `  ${line}`);
  return [first, ...note(title), ...lines.flatMap((line, i) => [line, ...note(notes[i])])].join("\n");
}

/** Text of a table with its columns aligned; columns that hold numbers lean right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(width(title), largest(rows.map((row) => width(row[column] ?? "")))),
  );
  const isNumeric = header.map((_, column) => rows.every((row) => /^[-–+\d.e ]*$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const space = " ".repeat(widths[column] - width(cell));
        return isNumeric[column] ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
  return [line(header), ...rows.map(line)].join("\n");
}

/** Columns on a terminal: the bar of π̄ takes none. */
const width = (text: string): number => [...text.replaceAll(/\p{M}/gu, "")].length;
