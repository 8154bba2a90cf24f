// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SoftrlError } from "softrl";
import { readArguments, usage } from "./arguments.js";
import { findExecutors } from "./executors.js";
import { busyCores, load, machine } from "./machine.js";
import { findPeers } from "./peers.js";
import { scalingPlot } from "./plot.js";
import { comparisonCells, contestantLines, markdown, table, withTable } from "./report.js";
import { rows } from "./rows.js";
import { measureScaling, measureSweepScaling, scalingCsv } from "./scaling.js";

const scalingName = "scaling";
const sweepScalingName = "sweep-scaling";
const rowNames = [...rows.map(({ name }) => name), scalingName, sweepScalingName];

const plans = {
  full: { blockSeconds: 0.15, rounds: 25 },
  quick: { blockSeconds: 0.005, rounds: 3 },
};

/** @param {import("./arguments.js").Request} request */
async function main(request) {
  // Whatever is wrong with the document, the reader learns it before the measurement.
  if (request.markdown !== undefined) withTable(readDocument(request.markdown), "");
  const wanted = request.names.length === 0 ? rowNames : request.names;
  const loadBefore = load();
  const { executors, missing } = await findExecutors();
  const peers = request.peers ? await findPeers() : null;
  const notes = [...missing, ...missingPeers(request.peers, peers)];
  for (const note of notes) console.error(`bench: not measured: ${note}`);

  const context = {
    executors: executors.filter(({ kind }) => kind !== "wasm-relaxed"),
    peers,
    quick: request.quick,
    seed: request.seed,
    busy: 0,
    plan: request.quick ? plans.quick : plans.full,
  };
  const results = [];
  for (const row of rows.filter(({ name }) => wanted.includes(name))) {
    const measured = row.relaxed === true ? executors : context.executors;
    const result = await row.measure({
      ...context,
      executors: measured,
      busy: await busyCores(request.quick ? 20 : 1000),
    });
    results.push(result);
    console.log(contestantLines(result));
    console.log(`${table(comparisonCells(result))}\n`);
  }
  const byBatch = wanted.includes(scalingName) ? await measureScaling(context) : [];
  const bySweep = wanted.includes(sweepScalingName) ? await measureSweepScaling(context) : [];
  const scaling = [...byBatch, ...bySweep];
  for (const { name, over, growth, bar, met } of scaling) {
    const what =
      over === "transitions"
        ? `time proportional to transitions^${growth.toFixed(2)}`
        : `a sample at the largest size costs ${growth.toFixed(2)} times the least`;
    console.log(`${name}: ${what} (target ${bar}: ${met ? "met" : "not met"})`);
  }

  /** @type {import("./report.js").Report} */
  const report = {
    format: 1,
    seed: request.seed,
    quick: request.quick,
    machine: machine(),
    load: { before: loadBefore, after: load() },
    executors: executors.map(({ name, threads, instructionSet }) => ({ name, threads, instructionSet })),
    peers,
    notes,
    rows: results,
    scaling,
  };
  const out = join(import.meta.dirname, "out");
  write(request.json ?? join(out, "bench.json"), `${JSON.stringify(report, null, 1)}\n`);
  const folder = request.markdown === undefined ? out : join(import.meta.dirname, "results");
  for (const [growths, name, text] of /** @type {const} */ ([
    [byBatch, "scaling", { title: "Time of one step", size: "batch size B, or environments S" }],
    [bySweep, "sweeps", { title: "Time of one sweep of soft value iteration", size: "transitions" }],
  ])) {
    if (growths.length === 0) continue;
    write(join(folder, `${name}.csv`), scalingCsv(growths));
    write(join(folder, `${name}.svg`), await scalingPlot(growths, text));
  }
  if (request.markdown !== undefined) {
    write(request.markdown, withTable(readDocument(request.markdown), markdown(report)));
  }
}

/**
 * @param {boolean} asked
 * @param {import("./peers.js").PeerVersions | null} peers
 */
function missingPeers(asked, peers) {
  if (!asked) return ["peers: --no-peers"];
  if (peers === null) return ["peers: python3 was not found"];
  const absent = ["torch", "jax", "optax", "gymnasium", "scipy", "stable_baselines3", "ale_py"].filter(
    (name) => !(name in peers.packages),
  );
  return absent.map((name) => `${name}: not installed; run npm run bench:peers`);
}

/** @param {string} path */
function readDocument(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new SoftrlError("bench: --markdown", "the document cannot be read", { got }, { cause: error });
  }
}

/**
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.error(`bench: wrote ${path}`);
}

/** The request that the command line makes, or null after a line that says why it makes none. */
function requested() {
  try {
    return readArguments(process.argv.slice(2), rowNames);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(usage);
    return null;
  }
}

const request = requested();
try {
  if (request === null) process.exitCode = 1;
  else await main(request);
} catch (error) {
  // Any other error is a fault of the benchmark, which only its stack can locate.
  console.error(error instanceof SoftrlError ? error.message : error);
  process.exitCode = 1;
}
