// @ts-check
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { RandomStreams } from "softrl";
import { makeCaseFolder } from "./case-folder.js";
import { runDifferences } from "./compare-runs.js";
import { configurations, gymnasiumConfigurations } from "./configurations.js";
import { faultsOf, outcomeText } from "./outcome.js";
import { endLeftProcesses, MARK, runSoftrl } from "./processes.js";

/** @typedef {import("softrl").Random} Random */
/** @typedef {import("./main.js").CaseContext} CaseContext */
/** @typedef {import("./processes.js").Watched} Watched */
/** @typedef {import("./configurations.js").Configuration} Configuration */

/**
 * An uninterrupted run and its calls.
 * @typedef {{ readonly folder: string, readonly watched: Watched }} Baseline
 */

/** @type {Map<string, Promise<Baseline>>} */
const baselines = new Map();

/**
 * The uninterrupted run of a configuration, made once.
 * @param {Configuration} configuration
 * @param {string} workspace
 */
export function baselineOf({ name, args }, workspace) {
  const made = baselines.get(name) ?? makeBaseline();
  baselines.set(name, made);
  return made;

  /** @returns {Promise<Baseline>} */
  async function makeBaseline() {
    const cwd = join(workspace, `uninterrupted-${baselines.size}`);
    mkdirSync(cwd);
    const watched = join(cwd, "run");
    const finished = await runSoftrl([...args, "--run-folder", "run"], {
      cwd,
      watched,
      hangMilliseconds: 300_000,
    });
    if (finished.code !== 0 || finished.watched === null) throw new Error(outcomeText(finished));
    return { folder: watched, watched: finished.watched };
  }
}

/** Kills of a run at a chosen call or moment, resumed to its end, compared with the uninterrupted run. */
export const kills = {
  name: "kills",
  about: "runs killed at a chosen call (even seeds) or moment (odd seeds), then resumed",
  /** @param {number} seed @param {CaseContext} context */
  async run(seed, { path, workspace, gymnasium }) {
    const random = new RandomStreams(seed).stream("kills");
    const fromGymnasium = gymnasium && random.integer(6) === 0;
    const choices = fromGymnasium ? gymnasiumConfigurations : configurations;
    const configuration = choices[random.integer(choices.length)];
    const baseline = await baselineOf(configuration, workspace);
    const { work, run } = makeCaseFolder(path);
    const mark = `${process.pid}-kills-${seed}`;
    const circumstances = { cwd: work, env: { [MARK]: mark } };
    const ending =
      seed % 2 === 0 ? atCall(random, baseline.watched) : atMoment(random, baseline.watched, run);
    const story = [configuration.name, ending.about];

    let last = await runSoftrl([...configuration.args, "--run-folder", "run"], {
      ...circumstances,
      ...ending.circumstances,
      ...(seed % 2 === 0 ? { watched: run } : {}),
    });
    /** @type {string[]} */
    const faults = [];
    let killed = last.signal === "SIGKILL" || last.code === 130;
    if (!killed) {
      story.push("ended before");
      if (last.code !== 0) faults.push(...faultsOf(last), outcomeText(last));
    }
    // Some resumed runs are killed, too.
    for (let more = random.integer(4) === 0 ? 2 : 0; killed && faults.length === 0; more--) {
      const again = more > 0 ? { watched: run, kill: `${1 + random.integer(30)}:after` } : {};
      last = await runSoftrl(["resume", "run"], { ...circumstances, ...again });
      killed = last.signal === "SIGKILL" && !last.hung;
      if (killed) {
        story.push("resumed and killed again");
        continue;
      }
      if (last.code === 0) {
        story.push("resumed");
      } else if (last.code === 1 && last.stderr.includes("the run is already finished")) {
        // The kill came after the last file. The comparison shows whether that is true.
        story.push("complete");
        faults.push(...faultsOf(last));
      } else if (last.code === 1 && !existsSync(join(run, "checkpoint.safetensors"))) {
        story.push("nothing to resume yet");
        faults.push(...faultsOf(last));
        rmSync(run, { recursive: true, force: true });
      } else {
        faults.push("resume failed", ...faultsOf(last), outcomeText(last));
      }
    }
    if (faults.length === 0 && existsSync(run)) faults.push(...runDifferences(baseline.folder, run));
    for (const command of await endLeftProcesses(mark)) faults.push(`left running: ${command}`);
    const parts = ["resumed", "complete", "nothing to resume yet", "ended before"];
    return {
      about: story.join(", "),
      faults,
      tally: parts.find((part) => story.includes(part)) ?? "not resumed",
    };
  },
};

/**
 * A call of the run, chosen so that each kind of call on each file is as likely.
 * @param {Random} random
 * @param {Watched} watched
 */
function atCall(random, { calls }) {
  const firstCheckpoint = calls.findIndex(([call, path]) => call === "rename" && path.includes("checkpoint"));
  // Before the first checkpoint there is nothing to resume, which is soon told.
  const from = random.integer(8) === 0 ? 0 : firstCheckpoint + 1;
  const names = calls.slice(from).map(([call, path]) => `${call} of ${kindOf(basename(path))}`);
  const kinds = [...new Set(names)].sort();
  const name = kinds[random.integer(kinds.length)];
  const places = names.flatMap((each, i) => (each === name ? [from + i + 1] : []));
  const number = places[random.integer(places.length)];
  const hows = name.startsWith("write") ? ["before", "after", "torn"] : ["before", "after"];
  const how = hows[random.integer(hows.length)];
  const where = how === "torn" ? "in the middle of" : how;
  return { about: `killed ${where} call ${number}, ${name}`, circumstances: { kill: `${number}:${how}` } };
}

/** A file's name, for locks and pieces of the replay one name each. @param {string} name */
const kindOf = (name) =>
  name.replace(/^\.lock-.*/, "the lock").replace(/([a-z]+)-\d+-[0-9a-f]{8}\.safetensors/, "$1");

/**
 * A moment while the run writes; now and then Ctrl-C, once or twice, or SIGTERM instead of a kill.
 * @param {Random} random
 * @param {Watched} watched
 * @param {string} run
 */
function atMoment(random, { calls, milliseconds: end }, run) {
  const checkpoint = join(run, "checkpoint.safetensors");
  const after = random.integer(8) === 0 ? run : checkpoint;
  const first = calls.find(
    ([call, path]) => after === run || (call === "rename" && path.includes("checkpoint")),
  );
  const milliseconds = Math.round((end - (first?.[2] ?? 0)) * random.float());
  /** @type {readonly (readonly NodeJS.Signals[])[]} */
  const others = [["SIGINT"], ["SIGTERM"], ["SIGINT", "SIGINT"]];
  /** @type {readonly NodeJS.Signals[]} */
  const signals = random.integer(5) > 0 ? ["SIGKILL"] : others[random.integer(others.length)];
  const since = after === run ? "first write" : "first checkpoint";
  return {
    about: `${signals.join(" and ")} ${milliseconds} ms after the ${since}`,
    circumstances: { interrupt: { signals, after, milliseconds } },
  };
}
