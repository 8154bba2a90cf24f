import { isRecord } from "softrl";
import { readEvents, type SavedEvent } from "./event-file.js";
import { type Cell, cellOf, settingsIn } from "./run-settings.js";

/** Rows of cells by column. */
export type Row = Readonly<Record<string, Cell>>;

/** The tables that runs are exported to, each with a column `run`. */
export const tableNames = ["runs", "updates", "episodes", "evaluations", "oracle"] as const;
export type TableName = (typeof tableNames)[number];

/** Takes a row of a table. */
export type TakeRow = (table: TableName, row: Row) => void;

/**
 * Passes on the rows of a run's tables one by one, in the order of its events: a file of events may have gigabytes. A row
 * of `runs` has every setting, `section.name`, the softrl version and executor, how the run ended and its last mean return;
 * the other tables have a row for each event.
 * @throws SoftrlError when the events are missing or damaged.
 * @param path the run's `events.jsonl`
 */
export function readTables(run: string, path: string, take: TakeRow): void {
  const about: Record<string, Cell> = { run };
  readEvents(path, (event) => {
    const { step } = event;
    switch (event.event) {
      case "started":
      case "resumed":
        Object.assign(about, settingsIn(event.config), cells(event, ["version", "executor"]), {
          end: "none",
        });
        break;
      case "update":
        about.meanReturn = cellOf(event.meanReturn);
        take("updates", {
          run,
          ...cells(event, ["step", "meanReturn", "learningRate", "seconds"]),
          ...numbersIn(event.figures),
        });
        break;
      case "episode":
        take("episodes", { run, ...cells(event, ["step", "environment", "return", "length"]) });
        break;
      case "evaluation":
        take("evaluations", {
          run,
          ...cells(event, ["step", "episodes", "meanReturn", "standardDeviation", "cut", "best"]),
        });
        break;
      case "oracle":
        take("oracle", { run, step: cellOf(step), ...numbersIn(event.figures) });
        break;
      case "interrupted":
      case "finished":
      case "failed":
        about.end = event.event;
        break;
      default:
    }
    if (typeof step === "number") about.steps = step;
  });
  take("runs", about);
}

/** A line of CSV (RFC 4180). */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\n`;

/** Rows as CSV with a header; columns in the order in which they first come. */
export function csvText(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(csvLine).join("");
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return "";
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const cells = (event: SavedEvent, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, cellOf(event[name])]));

const numbersIn = (figures: unknown): Row =>
  Object.fromEntries(
    Object.entries(isRecord(figures) ? figures : {}).map(([name, value]) => [name, cellOf(value)]),
  );
