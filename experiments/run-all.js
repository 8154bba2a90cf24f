// @ts-check
/**
 * Trains every run of a plan that has no result yet: `node experiments/run-all.js experiments/minatar [--jobs 2]`.
 *
 * Each run is one `softrl train` of its own with one thread. Interrupt it at any time: a run without a row in
 * results.csv is made anew.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { curvePoints, files, header, readPlan, readResults, rowText } from "./plan.js";

const command = join(dirname(fileURLToPath(import.meta.url)), "../packages/cli/bin/softrl.js");
const { positionals, values } = parseArgs({ allowPositionals: true, options: { jobs: { type: "string" } } });
const [folder] = positionals;
const jobs = Number(values.jobs ?? 2);
if (folder === undefined || !existsSync(join(folder, files.plan)) || !(jobs >= 1)) {
  console.error("usage: node experiments/run-all.js <folder with runs.json> [--jobs <count>]");
  process.exit(2);
}

/** @typedef {{ variant: import("./plan.js").Variant, environment: string, seed: number }} Run */

const plan = readPlan(folder);
for (const name of /** @type {const} */ (["results", "curves"])) {
  const path = join(folder, files[name]);
  if (!existsSync(path)) writeFileSync(path, `${header[name]}\n`);
}
/** @param {string} variant @param {string} environment @param {number} seed */
const keyOf = (variant, environment, seed) => JSON.stringify([variant, environment, seed]);
const done = new Set(
  readResults(folder).map(({ variant, environment, seed }) => keyOf(variant, environment, seed)),
);
/** @type {Run[]} */
const queue = plan.variants
  .flatMap((variant) =>
    (variant.seeds ?? plan.seeds).flatMap((seed) =>
      (variant.environments ?? plan.environments).map((environment) => ({ variant, environment, seed })),
    ),
  )
  .filter(({ variant, environment, seed }) => !done.has(keyOf(variant.name, environment, seed)))
  // Seed by seed, so that what is there at any time compares all variants.
  .sort((a, b) => a.seed - b.seed);
const total = queue.length;
let finished = 0;
let failed = 0;
/** The processes that train, and the folders that they write to: neither outlives this one. */
const children = new Set();
const folders = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of children) child.kill("SIGKILL");
    for (const path of folders) rmSync(path, { recursive: true, force: true });
    process.exit(130);
  });
}

async function work() {
  for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
    const { variant, environment, seed } = run;
    const name = `${variant.name}, ${environment}, seed ${seed}`;
    const kept = await train(run).catch((error) => {
      console.error(error);
      return null;
    });
    if (kept === null) failed++;
    console.log(`${++finished} of ${total}: ${name}: ${kept ?? "failed"}`);
  }
}

/** @param {Run} run @returns {Promise<number | null>} the mean return of its last 100 episodes; null where it failed */
async function train({ variant, environment, seed }) {
  const temporary = mkdtempSync(join(tmpdir(), "softrl-"));
  folders.add(temporary);
  const runFolder = join(temporary, "run");
  const options = Object.entries(variant.options ?? {}).flatMap(([name, value]) => [`--${name}`, value]);
  const identity = ["--env", environment, "--algorithm", variant.algorithm, "--seed", String(seed)];
  const output = await outputOf([...identity, ...options, "--run-folder", runFolder, "--json"]);
  try {
    if (output === null) return null;
    const { meanReturn, episodes, steps, executor, instructionSet } = JSON.parse(output);
    if (meanReturn === null) {
      console.error(`${variant.name}, ${environment}, seed ${seed}: no episode ended`);
      return null;
    }
    const key = [variant.name, environment, seed];
    const updates = readFileSync(join(runFolder, "events.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith('{"event":"update"'))
      .map((line) => JSON.parse(line));
    const points = curvePoints.flatMap((fraction) => {
      const update = updates.find(({ step }) => step >= fraction * steps);
      return update === undefined || update.meanReturn === null
        ? []
        : [[update.step, rounded(update.meanReturn)]];
    });
    appendFileSync(join(folder, files.curves), points.map((point) => rowText([...key, ...point])).join(""));
    const arithmetic = instructionSet === undefined ? executor : `${executor} ${instructionSet}`;
    const cells = [...key, rounded(meanReturn), episodes, steps, arithmetic];
    appendFileSync(join(folder, files.results), rowText(cells));
    return rounded(meanReturn);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    folders.delete(temporary);
  }
}

/** @param {number} x */
const rounded = (x) => Number(x.toPrecision(6));

/** @param {readonly string[]} options @returns {Promise<string | null>} */
function outputOf(options) {
  return new Promise((resolve) => {
    let output = "";
    const env = { ...process.env, SOFTRL_THREADS: "1" };
    const child = spawn(process.execPath, [command, "train", ...options], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    let errors = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      errors = `${errors}${data}`.slice(-2000);
    });
    child.on("close", (code) => {
      children.delete(child);
      if (code !== 0) console.error(errors);
      resolve(code === 0 ? output : null);
    });
  });
}

await Promise.all(Array.from({ length: jobs }, work));
process.exitCode = failed === 0 ? 0 : 1;
