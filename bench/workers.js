// @ts-check
/**
 * `npm run bench:workers`: how much faster A3C trains with two workers than with one. Runs of the command alternate, each in a
 * process of its own, and a ratio compares two runs of the same round. The rate is that between two events of a run, so
 * that the start of a process is left out.
 *
 * `node bench/workers.js [rounds] [environment…]`
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyCores, machine } from "./machine.js";
import { spread } from "./measure.js";

const softrl = join(import.meta.dirname, "../packages/cli/bin/softrl.js");
const [rounds = "5", ...named] = process.argv.slice(2);

/**
 * An environment, the steps of a run, which take some seconds, and the bar of the project. Each thread compiles the
 * environment anew: in runs of 250,000 steps on MinAtar, two workers are 6 % slower for it.
 */
const cases = [
  { environment: "MinAtar/Breakout-v1", steps: 1_000_000, least: 1.6 },
  { environment: "ALE/Pong-v5", steps: 6400, least: 1.5 },
];

/**
 * Trains, and returns the steps per second after the first tenth of the run.
 * @param {string} environment @param {number} steps @param {number} workers
 */
function rate(environment, steps, workers) {
  const folder = mkdtempSync(join(tmpdir(), "softrl-workers-"));
  try {
    const run = join(folder, "run");
    const args = ["train", "--algorithm", "a3c", "--env", environment, "--steps", String(steps)];
    args.push("--workers", String(workers), "--log-every", String(steps / 10), "--no-chart", "-o", run);
    const { status, stderr } = spawnSync(process.execPath, [softrl, ...args], {
      encoding: "utf8",
      env: { ...process.env, SOFTRL_THREADS: "1" },
    });
    if (status !== 0) throw new Error(`bench: softrl ${args.join(" ")} failed: ${stderr}`);
    const updates = readFileSync(join(run, "events.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "update");
    const [first, last] = [updates[0], updates.at(-1)];
    return (last.step - first.step) / (last.seconds - first.seconds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {import("./measure.js").Spread} spread @param {number} digits */
const written = ({ median, low, high }, digits) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}..${high.toFixed(digits)})`;

const chosen = cases.filter(({ environment }) => named.length === 0 || named.includes(environment));
const { processor, cores, node } = machine();
console.log(`${processor}, ${cores} cores, Node.js ${node}`);
for (const { environment, steps, least } of chosen) {
  const busy = await busyCores(1000);
  const pairs = Array.from({ length: Number(rounds) }, () =>
    [1, 2].map((workers) => rate(environment, steps, workers)),
  );
  const ratio = spread(pairs.map(([one = NaN, two = NaN]) => two / one));
  console.log(`${environment} (other programs used ${busy.toFixed(1)} cores just before)`);
  for (const workers of [1, 2]) {
    const rates = spread(pairs.map((pair) => pair[workers - 1] ?? NaN));
    console.log(`  ${workers} worker${workers === 1 ? " " : "s"}  ${written(rates, 0)} steps/s`);
  }
  console.log(
    `  ratio ${written(ratio, 2)}, target ≥ ${least}: ${ratio.median >= least ? "met" : "not met"}`,
  );
}
