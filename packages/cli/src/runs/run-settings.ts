import { isRecord, type LiveNumber, scheduleText } from "softrl";

/** What a setting, or a cell of a table, is to other programs; undefined where there is nothing. */
export type Cell = string | number | boolean | undefined;

/** A value of JSON: a schedule as its option takes it, what is neither a scalar nor a schedule as JSON. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  return isSchedule(value) ? scheduleText(value) : JSON.stringify(value);
}

const isSchedule = (value: unknown): value is LiveNumber => {
  if (!isRecord(value)) return false;
  const { from, to, steps } = value;
  return (typeof from === "number" && typeof to === "number") || Array.isArray(steps);
};

/** Every setting of a configuration, `section.name`. */
export function settingsIn(config: unknown): Readonly<Record<string, Cell>> {
  return Object.fromEntries(
    Object.entries(isRecord(config) ? config : {}).flatMap(([section, settings]) =>
      Object.entries(isRecord(settings) ? settings : {}).map(([name, value]) => [
        `${section}.${name}`,
        cellOf(value),
      ]),
    ),
  );
}
