// @ts-check
/** The tables of docs/scale.md: what experiments cost, from their definitions and from measured runs. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readDefinition } from "@softrl/cli";
import { betweenMarks } from "../experiments/between-marks.js";

/**
 * Runs that cost the same per step: an algorithm with its options on Atari or on MinAtar.
 * @typedef {{ name: string, algorithm: string, options: Readonly<Record<string, string>>, environment: string }} CostKind
 */
/**
 * What such a run was measured to cost.
 * @typedef {object} Measured
 * @property {string} kind
 * @property {number} coreSecondsPerMillion seconds of a core for a million environment steps
 * @property {number} eventBytesPerMillion of events.jsonl
 * @property {number} folderBytes of the run folder without events.jsonl and the replay
 * @property {number} replayBytesPerEntry in files beside the checkpoint; 0 without a replay
 * @property {string} cpu
 * @property {number} load
 */

const experiments = join(import.meta.dirname, "../experiments");
/** Definitions that are counted: name, and the file of the paper's and of the desk size. */
const counted = [
  { name: "figure-1", paper: "figure-1/paper.json", desk: null },
  { name: "figure-2", paper: "figure-2/paper.json", desk: "figure-2/runs.json" },
  { name: "figure-3", paper: "figure-3/paper.json", desk: "minatar/runs.json" },
  { name: "no-target-network", paper: "no-target-network/paper.json", desk: "no-target-network/runs.json" },
  { name: "temperature", paper: "temperature/paper.json", desk: "temperature/runs.json" },
];
/** Options without an influence on the cost of a step. */
const free = ["steps", "tau"];
const DEFAULT_STEPS = 5_000_000;
/** Of dqn's replay by default. @type {Readonly<Record<string, number>>} */
const entries = { "ALE/Pong-v5": 1_000_000, "MinAtar/Breakout-v1": 100_000 };
const SECONDS_OF_A_DAY = 24 * 3600;
/** A machine of the kind that was measured. */
const CORES = 2;

const queueFile = join(import.meta.dirname, "queue-overhead.csv");
export const measuredFile = join(import.meta.dirname, "scale.csv");

/** @returns {Measured[]} */
export function readMeasured() {
  if (!existsSync(measuredFile)) return [];
  const [, ...lines] = readFileSync(measuredFile, "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [kind, seconds, events, folder, replay, cpu, load] = line.split(",");
    return {
      kind,
      coreSecondsPerMillion: Number(seconds),
      eventBytesPerMillion: Number(events),
      folderBytes: Number(folder),
      replayBytesPerEntry: Number(replay),
      cpu,
      load: Number(load),
    };
  });
}

/** @param {import("@softrl/cli").SweepVariant} variant @param {string} environment @returns {CostKind} */
function kindOf({ algorithm, options }, environment) {
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !free.includes(name)));
  const measured = environment.startsWith("ALE/") ? "ALE/Pong-v5" : "MinAtar/Breakout-v1";
  const words = Object.entries(own).map(([option, value]) => `--${option} ${value}`);
  return { name: [algorithm, ...words, measured].join(" "), algorithm, options: own, environment: measured };
}

/** The runs of a definition. @param {string} file */
async function runsOf(file) {
  const { variants } = await readDefinition(join(experiments, file));
  return variants.flatMap((variant) =>
    variant.environments.map((environment) => ({
      kind: kindOf(variant, environment),
      steps: Number(variant.options.steps ?? DEFAULT_STEPS),
      seeds: variant.seeds.length,
    })),
  );
}

const files = counted.flatMap(({ paper, desk }) => (desk === null ? [paper] : [paper, desk]));

/** Every kind of run in the definitions, once. @returns {Promise<CostKind[]>} */
export async function costKinds() {
  const kinds = new Map();
  for (const file of files) for (const { kind } of await runsOf(file)) kinds.set(kind.name, kind);
  return [...kinds.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The bytes that a run adds to the tables, measured on those that are committed. */
function tableBytes() {
  const folder = join(experiments, "minatar");
  const bytes = readdirSync(folder)
    .filter((name) => name === "results.csv" || name === "curves.csv")
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const runs = readFileSync(join(folder, "results.csv"), "utf8").trimEnd().split("\n").length - 1;
  return bytes / runs;
}

/** @param {string} file @param {ReadonlyMap<string, Measured>} measured */
async function costOf(file, measured) {
  const sum = { runs: 0, steps: 0, coreSeconds: 0, largestFolder: 0, longestRun: 0 };
  for (const { kind, steps, seeds } of await runsOf(file)) {
    const row = measured.get(kind.name);
    if (row === undefined) {
      throw new Error(
        `docs/scale.csv has no row ${kind.name}: node bench/experiment-costs.js --only "${kind.name}"`,
      );
    }
    const millions = steps / 1e6;
    const seconds = millions * row.coreSecondsPerMillion;
    const replay = kind.algorithm === "dqn" ? row.replayBytesPerEntry * (entries[kind.environment] ?? 0) : 0;
    sum.runs += seeds;
    sum.steps += seeds * steps;
    sum.coreSeconds += seeds * seconds;
    sum.longestRun = Math.max(sum.longestRun, seconds);
    sum.largestFolder = Math.max(
      sum.largestFolder,
      row.folderBytes + millions * row.eventBytesPerMillion + replay,
    );
  }
  return sum;
}

/** docs/scale.md with its tables as definitions and measurements have them. @param {string} text */
export async function withCosts(text) {
  const measured = new Map(readMeasured().map((row) => [row.kind, row]));
  const costs = [
    "| experiment | size | runs | steps | core-hours | longest run | run folder, at most | machine-days |",
  ];
  costs.push("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const { name, paper, desk } of counted) {
    for (const [size, file] of [
      ["paper", paper],
      ["desk", desk],
    ]) {
      if (file === null) continue;
      const { runs, steps, coreSeconds, longestRun, largestFolder } = await costOf(file, measured);
      const machines = Math.ceil(coreSeconds / (CORES * SECONDS_OF_A_DAY));
      const cells = [
        `${digits(steps / 1e6)}M`,
        hours(coreSeconds),
        `${hours(longestRun)} h`,
        bytes(largestFolder),
      ];
      costs.push(`| ${[`[${name}](../experiments/${file})`, size, runs, ...cells, machines].join(" | ")} |`);
    }
  }
  const inputs = [
    "| run | core-seconds per 1M steps | steps/s of a core | events per 1M steps | rest of the run folder | replay, per entry |",
  ];
  inputs.push("| --- | --- | --- | --- | --- | --- |");
  for (const { name } of await costKinds()) {
    const row = measured.get(name);
    if (row === undefined) continue;
    const rate = digits(1e6 / row.coreSecondsPerMillion);
    const replay = row.replayBytesPerEntry === 0 ? "–" : `${row.replayBytesPerEntry} bytes`;
    const cells = [
      row.coreSecondsPerMillion,
      rate,
      bytes(row.eventBytesPerMillion),
      bytes(row.folderBytes),
      replay,
    ];
    inputs.push(`| ${[`\`${name}\``, ...cells].join(" | ")} |`);
  }
  const rows = [...measured.values()];
  const loads = rows.map(({ load }) => load);
  const machine = [...new Set(rows.map(({ cpu }) => cpu))].join(", ");
  const lines = [
    `Measured on ${machine} with native kernels and one thread; the load average was ${Math.min(...loads)} to ${Math.max(...loads)}.`,
    `A finished run adds ${bytes(tableBytes())} to \`results.csv\` and \`curves.csv\`, as those of [experiments/minatar](../experiments/minatar/README.md) have it.`,
  ];
  const tables = [
    { mark: "costs", lines: ["", ...costs, ""] },
    { mark: "inputs", lines: ["", ...inputs, "", ...lines, ""] },
    { mark: "queue", lines: ["", ...queueLines(), ""] },
  ];
  return tables.reduce((before, { mark, lines }) => {
    const after = betweenMarks(before, `<!-- ${mark} -->`, `<!-- end of ${mark} -->`, lines);
    if (after === null) throw new Error(`docs/scale.md has no <!-- ${mark} -->`);
    return after;
  }, text);
}

/** The lines about the queue, from what bench/queue-overhead.js has written. */
function queueLines() {
  const [names, cells] = readFileSync(queueFile, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  const row = Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  const of = (/** @type {string} */ name) => Number(row[name]);
  const cores = of("submitterCoreSeconds") + of("workersCoreSeconds") + of("redisCoreSeconds");
  const each = (/** @type {number} */ seconds) => `${digits((1000 * seconds) / of("jobs"))} ms`;
  const table = [
    ["jobs, and workers", `${digits(of("jobs"))}, and ${row.workers}`],
    ["planning and queueing", `${row.queuedSeconds} s, ${each(of("queuedSeconds"))} a job`],
    ["workers take and return all jobs", `${row.madeSeconds} s, ${each(of("madeSeconds"))} a job`],
    ["until the last result is in the tables", `${row.collectedSeconds} s more`],
    ["core-seconds of the sweep", row.submitterCoreSeconds],
    ["core-seconds of all workers", row.workersCoreSeconds],
    ["core-seconds of Redis", row.redisCoreSeconds],
    ["core-seconds in all", `${digits(cores)}, ${each(cores)} a job`],
    ["memory of Redis, at most", `${row.redisMegabytes} MB`],
  ];
  return [
    "| | |",
    "| --- | --- |",
    ...table.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `Measured on ${row.cpu}, where everything shared two cores with other programs: the load average was ${row.load}.`,
  ];
}

const digits = (/** @type {number} */ x) => Number(x.toPrecision(3)).toLocaleString("en");
const hours = (/** @type {number} */ seconds) => digits(seconds / 3600);

/** @param {number} count */
function bytes(count) {
  if (count >= 1e9) return `${digits(count / 1e9)} GB`;
  if (count >= 1e6) return `${digits(count / 1e6)} MB`;
  return `${digits(count / 1e3)} kB`;
}
