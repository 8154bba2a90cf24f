// @ts-check
/**
 * Writes the table of a plan's results into its README, between the marks: `node experiments/report.js experiments/minatar`.
 *
 * A cell is the mean over seeds with its 95 % bootstrap interval; where the plan names published scores, they stand
 * beside it. `--against "A2C, proper bonus"` adds the interval of each other variant's difference from that one.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDefinition, readResults } from "@softrl/cli";
import { bootstrapInterval, differenceInterval, probabilityOfImprovement, RandomStreams } from "softrl";
import { betweenMarks } from "./between-marks.js";
import { digits, environmentsOf, meansTable, scores, tableRow } from "./means-table.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { against: { type: "string" } },
});
const [folder] = positionals;
if (folder === undefined || !existsSync(join(folder, "results.csv"))) {
  console.error("usage: node experiments/report.js <folder with results.csv> [--against <variant>]");
  process.exit(2);
}

const definition = await readDefinition(folder);
const results = [...readResults(folder).values()];
const environments = environmentsOf(definition);
const lines = [...meansTable(definition, results)];
const { against } = values;
if (against !== undefined) {
  if (!definition.variants.some(({ name }) => name === against)) {
    console.error(`--against: ${folder} has no variant ${JSON.stringify(against)}`);
    process.exit(2);
  }
  const streams = new RandomStreams(0);
  for (const { name } of definition.variants) {
    if (name === against) continue;
    const cells = environments.map((id) => difference(name, id, streams.stream(name, against, id)));
    lines.push(tableRow(`${name} − ${against}`, cells));
  }
  lines.push("");
  const where = environments.length > 1 ? " on a random game" : "";
  for (const { name } of definition.variants) {
    if (name === against || !environments.every((id) => isComparable(name, id))) continue;
    const { estimate, low, high } = improvement(name, streams.stream("improvement", name, against));
    lines.push(
      `- The probability that a run of ${name} beats one of ${against}${where} is ${digits(estimate)} [${digits(low)}, ${digits(high)}].`,
    );
  }
}
lines.push("", "Each run's mean return of its last 100 training episodes, in the order of the seeds:", "");
lines.push("| | environment | runs |", "| --- | --- | --- |");
for (const { name } of definition.variants) {
  for (const id of environments) {
    const runs = scores(results, name, id);
    if (runs.length > 0) lines.push(tableRow(name, [id, runs.map(digits).join(", ")]));
  }
}

/**
 * Whether both variants have the runs that an interval needs.
 * @param {string} variant @param {string} environment
 */
function isComparable(variant, environment) {
  return [variant, against ?? ""].every((name) => scores(results, name, environment).length >= 2);
}

/** @param {string} variant @param {import("softrl").Random} random */
function improvement(variant, random) {
  const [x, y] = [variant, against ?? ""].map((name) => environments.map((id) => scores(results, name, id)));
  const { length } = environments;
  // One resampling of all runs: of each game, and of each of the two variants.
  return bootstrapInterval(
    [...x, ...y],
    (all) => probabilityOfImprovement(all.slice(0, length), all.slice(length)),
    { random },
  );
}

/** @param {string} variant @param {string} environment @param {import("softrl").Random} random */
function difference(variant, environment, random) {
  if (!isComparable(variant, environment)) return "–";
  const [x, y] = [variant, against ?? ""].map((name) => scores(results, name, environment));
  const { estimate, low, high } = differenceInterval(x, y, { random });
  return `${digits(estimate)} [${digits(low)}, ${digits(high)}]`;
}

const readme = join(folder, "README.md");
const [begin, end] = ["<!-- results -->", "<!-- end of results -->"];
const text = existsSync(readme)
  ? readFileSync(readme, "utf8")
  : `# ${definition.title}\n\n${begin}\n${end}\n`;
const written = betweenMarks(text, begin, end, lines);
if (written === null) console.log(lines.join("\n"));
else writeFileSync(readme, written);
