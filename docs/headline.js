// @ts-check
import { join } from "node:path";
import { readDefinition, readResults } from "@softrl/cli";
import { betweenMarks } from "../experiments/between-marks.js";
import { meansTable } from "../experiments/means-table.js";

const [begin, end] = ["<!-- results of experiments/minatar -->", "<!-- end of results -->"];

/**
 * README.md with its table of results as the committed runs have it.
 * @param {string} readme
 */
export async function withHeadline(readme) {
  const folder = join(import.meta.dirname, "../experiments/minatar");
  const table = meansTable(await readDefinition(folder), [...readResults(folder).values()]);
  const written = betweenMarks(readme, begin, end, table);
  if (written === null) throw new Error(`README.md has no ${begin} … ${end}`);
  return written;
}
