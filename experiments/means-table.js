// @ts-check
import { meanInterval, RandomStreams } from "softrl";

/**
 * The scores of a variant on an environment, in the order of the seeds.
 * @param {readonly import("@softrl/cli").SweepResult[]} results
 * @param {string} variant @param {string} environment
 */
export function scores(results, variant, environment) {
  return results
    .filter((result) => result.variant === variant && result.environment === environment)
    .sort((a, b) => a.seed - b.seed)
    .map(({ meanReturn }) => meanReturn);
}

/** @param {import("@softrl/cli").SweepDefinition} definition the environments of all variants */
export function environmentsOf({ variants }) {
  return [...new Set(variants.flatMap(({ environments }) => environments))];
}

/**
 * A table of means over seeds with their 95 % bootstrap intervals: a row for each variant, then the published scores.
 * @param {import("@softrl/cli").SweepDefinition} definition
 * @param {readonly import("@softrl/cli").SweepResult[]} results
 * @returns {readonly string[]} its lines
 */
export function meansTable(definition, results) {
  const environments = environmentsOf(definition);
  const streams = new RandomStreams(0);
  /** @param {import("@softrl/cli").SweepVariant} variant @param {string} environment */
  const cell = ({ name, seeds }, environment) => {
    const runs = scores(results, name, environment);
    if (runs.length === 0) return "–";
    const planned = `${seeds.length} run${seeds.length === 1 ? "" : "s"}`;
    const made = runs.length === seeds.length ? planned : `${runs.length} of ${planned}`;
    if (runs.length === 1) return `**${digits(runs[0])}** (${made})`;
    const { estimate, low, high } = meanInterval(runs, { random: streams.stream(name, environment) });
    return `**${digits(estimate)}** [${digits(low)}, ${digits(high)}] (${made})`;
  };
  return [
    tableRow(
      "",
      environments.map((id) => id.replace(/^MinAtar\/|-v\d+$/g, "")),
    ),
    `| --- |${" --- |".repeat(environments.length)}`,
    ...definition.variants.map((variant) =>
      tableRow(
        variant.name,
        environments.map((id) => cell(variant, id)),
      ),
    ),
    ...Object.entries(definition.published).map(([name, published]) =>
      tableRow(
        name,
        environments.map((id) => String(published[id] ?? "–")),
      ),
    ),
  ];
}

/** @param {string} name @param {readonly string[]} cells */
export function tableRow(name, cells) {
  return `| ${[name, ...cells].join(" | ")} |`.replace("|  |", "| |");
}

/** @param {number} x three significant digits, and no exponent */
export function digits(x) {
  return String(Number(x.toPrecision(3)));
}
