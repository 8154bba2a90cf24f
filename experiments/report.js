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
import { differenceInterval, meanInterval, RandomStreams } from "softrl";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { against: { type: "string" } },
});
const [folder] = positionals;
if (folder === undefined || !existsSync(join(folder, "results.csv"))) {
  console.error("usage: node experiments/report.js <folder with results.csv> [--against <variant>]");
  process.exit(2);
}

const plan = await readDefinition(folder);
const results = [...readResults(folder).values()];
/** @param {string} variant @param {string} environment */
const scores = (variant, environment) =>
  results
    .filter((result) => result.variant === variant && result.environment === environment)
    .sort((a, b) => a.seed - b.seed);

const streams = new RandomStreams(0);
const environments = [...new Set(plan.variants.flatMap((variant) => variant.environments))];
const lines = [`| | ${environments.map((id) => id.replace(/^MinAtar\/|-v\d+$/g, "")).join(" | ")} |`];
lines.push(`| --- |${" --- |".repeat(environments.length)}`);
for (const { name } of plan.variants) lines.push(row(name, (id) => cell(name, id)));
for (const [name, published] of Object.entries(plan.published)) {
  lines.push(row(name, (id) => String(published[id] ?? "–")));
}
const { against } = values;
if (against !== undefined) {
  for (const { name } of plan.variants) {
    if (name !== against) lines.push(row(`${name} − ${against}`, (id) => difference(name, against, id)));
  }
}
lines.push("", "Each run's mean return of its last 100 training episodes, in the order of the seeds:", "");
lines.push("| | environment | runs |", "| --- | --- | --- |");
for (const { name } of plan.variants) {
  for (const id of environments) {
    const runs = scores(name, id);
    if (runs.length > 0)
      lines.push(`| ${name} | ${id} | ${runs.map((run) => digits(run.meanReturn)).join(", ")} |`);
  }
}

/** @param {string} name @param {(environment: string) => string} text */
function row(name, text) {
  return `| ${name} | ${environments.map(text).join(" | ")} |`;
}

/** @param {string} variant @param {string} environment */
function cell(variant, environment) {
  const runs = scores(variant, environment).map(({ meanReturn }) => meanReturn);
  if (runs.length === 0) return "–";
  const { estimate, low, high } = meanInterval(runs, { random: streams.stream(variant, environment) });
  const { length } = plan.variants.find(({ name }) => name === variant)?.seeds ?? [];
  const planned = ` (${runs.length === length ? "" : `${runs.length} of `}${length} runs)`;
  return `**${digits(estimate)}** [${digits(low)}, ${digits(high)}]${planned}`;
}

/** @param {string} variant @param {string} other @param {string} environment */
function difference(variant, other, environment) {
  const [x, y] = [variant, other].map((name) =>
    scores(name, environment).map(({ meanReturn }) => meanReturn),
  );
  if (x.length === 0 || y.length === 0) return "–";
  const random = streams.stream(variant, other, environment);
  const { estimate, low, high } = differenceInterval(x, y, { random });
  return `${digits(estimate)} [${digits(low)}, ${digits(high)}]`;
}

/** @param {number} x three significant digits, and no exponent */
function digits(x) {
  return String(Number(x.toPrecision(3)));
}

const table = lines.join("\n");
const readme = join(folder, "README.md");
const [begin, end] = ["<!-- results -->", "<!-- end of results -->"];
const text = existsSync(readme) ? readFileSync(readme, "utf8") : `# ${plan.title}\n\n${begin}\n${end}\n`;
const [before, after] = [text.indexOf(begin), text.indexOf(end)];
if (before === -1 || after === -1) {
  console.log(table);
} else {
  writeFileSync(readme, `${text.slice(0, before + begin.length)}\n${table}\n${text.slice(after)}`);
}
