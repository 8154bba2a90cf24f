// @ts-check
import { join } from "node:path";
import { readDefinition, readResults } from "@softrl/cli";
import { betweenMarks } from "../experiments/between-marks.js";
import { meansTable } from "../experiments/means-table.js";

const root = join(import.meta.dirname, "..");
const end = "<!-- end of results -->";

/**
 * A text with its tables of results as the committed runs have them: one after each mark "results of experiments/…".
 * @param {string} text
 */
export async function withResults(text) {
  let written = text;
  const marks = [...text.matchAll(/<!-- results of (experiments\/\S+) -->/g)];
  if (marks.length === 0) throw new Error("the text has no <!-- results of experiments/… -->");
  for (const [begin, path] of marks) {
    const folder = join(root, String(path));
    const table = meansTable(await readDefinition(folder), [...readResults(folder).values()]);
    const next = betweenMarks(written, begin, end, table);
    if (next === null) throw new Error(`${begin} has no ${end} after it`);
    written = next;
  }
  return written;
}
