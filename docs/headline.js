// @ts-check
import { join } from "node:path";
import { readDefinition, readResults } from "@softrl/cli";
import { meansTable } from "../experiments/means-table.js";

const [begin, end] = ["<!-- results of experiments/minatar -->", "<!-- end of results -->"];

/**
 * README.md with its table of results as the committed runs have it.
 * @param {string} readme
 */
export async function withHeadline(readme) {
  const [before, after] = [readme.indexOf(begin), readme.indexOf(end)];
  if (before === -1 || after === -1) throw new Error(`README.md has no ${begin} … ${end}`);
  const folder = join(import.meta.dirname, "../experiments/minatar");
  const table = meansTable(await readDefinition(folder), [...readResults(folder).values()]);
  return `${readme.slice(0, before + begin.length)}\n${table.join("\n")}\n${readme.slice(after)}`;
}
