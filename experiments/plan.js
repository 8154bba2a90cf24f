// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A group of runs: every variant on every environment with every seed.
 * @typedef {object} Plan
 * @property {string} title
 * @property {readonly Variant[]} variants
 * @property {readonly string[]} environments
 * @property {readonly number[]} seeds
 * @property {Readonly<Record<string, Readonly<Record<string, number>>>>} [published] scores by source and environment
 */

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {string} algorithm
 * @property {Readonly<Record<string, string>>} [options] of `softrl train`, without dashes; defaults for all others
 * @property {readonly string[]} [environments] where they are not the plan's
 * @property {readonly number[]} [seeds] where they are not the plan's
 */

/**
 * One run, and its outcome.
 * @typedef {object} Result
 * @property {string} variant
 * @property {string} environment
 * @property {number} seed
 * @property {number} meanReturn of the last 100 training episodes
 * @property {number} episodes
 * @property {number} steps
 * @property {string} executor
 */

export const files = { plan: "runs.json", results: "results.csv", curves: "curves.csv" };

/** The fractions of a run at which its learning curve is kept. */
export const curvePoints = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

const columns = ["variant", "environment", "seed", "meanReturn", "episodes", "steps", "executor"];
export const header = { results: columns.join(","), curves: "variant,environment,seed,step,meanReturn" };

/** @param {string} folder @returns {Plan} */
export const readPlan = (folder) => JSON.parse(readFileSync(join(folder, files.plan), "utf8"));

/** @param {string} folder @returns {Result[]} */
export function readResults(folder) {
  return rowsOf(join(folder, files.results)).map(
    ([variant, environment, seed, mean, episodes, steps, executor]) => ({
      variant,
      environment,
      seed: Number(seed),
      meanReturn: Number(mean),
      episodes: Number(episodes),
      steps: Number(steps),
      executor,
    }),
  );
}

/** @param {string} path @returns {string[][]} the rows below the header; names with commas stand in quotes */
export function rowsOf(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) =>
    [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((cell) => cell[1] ?? cell[2]),
  );
}

/** @param {readonly (string | number)[]} cells */
export const rowText = (cells) =>
  `${cells.map((cell) => (String(cell).includes(",") ? `"${cell}"` : cell)).join(",")}\n`;
