// @ts-check
/**
 * Measures what the runs of the experiments cost, for docs/scale.md: `node bench/experiment-costs.js`.
 *
 * Each kind of run in the definitions is trained twice, for a few steps and for more, and their difference is what steps
 * cost: the start of a process is left out. Costs are in seconds of a core (user and system, with child processes), which
 * other programs disturb far less than the time on a clock. Atari is measured on Pong, MinAtar on Breakout.
 * `--only <text>` measures the kinds that contain a text, and keeps the other rows.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { costKinds, measuredFile, readMeasured } from "../docs/scale.js";

const root = join(import.meta.dirname, "..");
const softrl = join(root, "packages/cli/bin/softrl.js");
const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });

/** Steps of the short and of the long run, a multiple of what an iteration takes. */
const lengths = {
  atari: { dqn: [1600, 3600], pqn: [4096, 3 * 4096], others: [1600, 8000] },
  minatar: { dqn: [3000, 13_000], pqn: [8 * 4096, 24 * 4096], others: [40_000, 240_000] },
};
/** A replay of the full size does not fit this machine's memory; updates begin as soon as there is a batch. */
const small = ["--replay-start", "1000", "--replay-capacity", "4000"];

/**
 * Of events.jsonl on Atari: an episode takes hundreds of steps, so that short runs have hardly an event. These are the bytes and
 * the steps of a long run of A2C on Pong.
 */
const atariEvents = Math.round((175_698 / 1_557_920) * 1e6);

/** The bytes of the files below a folder. @param {string} folder @returns {number} */
function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : statSync(path).size);
  }, 0);
}

/**
 * Trains once.
 * @param {import("../docs/scale.js").CostKind} kind @param {number} steps @param {string} place
 */
function train({ algorithm, options, environment }, steps, place) {
  const folder = join(place, String(steps));
  const args = [
    "train",
    "--algorithm",
    algorithm,
    "--env",
    environment,
    "--steps",
    String(steps),
    "--no-chart",
  ];
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const own = algorithm === "dqn" ? small : [];
  const all = [softrl, ...args, ...given, ...own, "--run-folder", folder, "--seed", "1"];
  // The last line of Bash's times is that of children that have ended, with theirs.
  const script = `"$0" "$@" >/dev/null 2>&1 || exit 1; times`;
  const env = { ...process.env, SOFTRL_THREADS: "1" };
  const { status, stdout } = spawnSync("bash", ["-c", script, process.execPath, ...all], {
    encoding: "utf8",
    env,
  });
  if (status !== 0) throw new Error(`softrl ${all.slice(1).join(" ")} has failed`);
  const seconds = [...(stdout.trimEnd().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
    0,
  );
  const replay = join(folder, "replay");
  const replayBytes = existsSync(replay) ? bytesIn(replay) : 0;
  const eventBytes = statSync(join(folder, "events.jsonl")).size;
  return { seconds, replayBytes, eventBytes, otherBytes: bytesIn(folder) - replayBytes - eventBytes };
}

const rows = new Map(readMeasured().map((row) => [row.kind, row]));
for (const kind of await costKinds()) {
  if (!kind.name.includes(values.only)) continue;
  const of = lengths[kind.environment.startsWith("ALE/") ? "atari" : "minatar"];
  const [few, many] = of[kind.algorithm === "dqn" || kind.algorithm === "pqn" ? kind.algorithm : "others"];
  const place = mkdtempSync(join(tmpdir(), "softrl-cost-"));
  try {
    const [short, long] = [train(kind, few, place), train(kind, many, place)];
    const steps = many - few;
    const observations = Math.min(4000, many);
    rows.set(kind.name, {
      kind: kind.name,
      coreSecondsPerMillion: Math.round(((long.seconds - short.seconds) / steps) * 1e6),
      eventBytesPerMillion: kind.environment.startsWith("ALE/")
        ? atariEvents
        : Math.round(((long.eventBytes - short.eventBytes) / steps) * 1e6),
      folderBytes: long.otherBytes,
      replayBytesPerEntry: long.replayBytes === 0 ? 0 : Math.round(long.replayBytes / observations),
      cpu: cpus()[0].model.replaceAll(",", ""),
      load: Number(loadavg()[0].toFixed(1)),
    });
    const row = rows.get(kind.name);
    console.log(JSON.stringify(row));
    const [first] = rows.values();
    const lines = [...rows.values()].map((row) => Object.values(row).join(","));
    writeFileSync(measuredFile, `${[Object.keys(first).join(","), ...lines].join("\n")}\n`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
