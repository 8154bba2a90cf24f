// @ts-check
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { RandomStreams } from "softrl";
import { makeCaseFolder } from "./case-folder.js";
import { runDifferences } from "./compare-runs.js";
import { configurations } from "./configurations.js";
import { baselineOf } from "./kills.js";
import { pick } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";
import { runSoftrl } from "./processes.js";

/** @typedef {import("./main.js").CaseContext} CaseContext */
/** @typedef {import("./configurations.js").Configuration} Configuration */

/** Small ones, since every pair runs twice at once. */
const small = configurations.filter(({ name }) => /CartPole|GridWorld|FrozenLake-v1/.test(name));

const evaluate = ["evaluate", "run", "--episodes", "2", "--max-steps", "50", "--json"];
const record = ["record", "run", "--max-steps", "20", "--out", "film.gif", "--overwrite"];
const resume = ["resume", "run"];
const readers = [evaluate, record];

/** @type {Map<string, Promise<string>>} */
const interrupted = new Map();

/**
 * The folder of a run that was killed between two checkpoints, made once for each configuration.
 * @param {Configuration} configuration
 * @param {string} workspace
 */
function interruptedRun({ name, args }, workspace) {
  const made = interrupted.get(name) ?? kill();
  interrupted.set(name, made);
  return made;

  async function kill() {
    const { watched } = await baselineOf({ name, args }, workspace);
    const checkpoints = watched.calls.flatMap(([call, path], i) =>
      call === "rename" && path.includes("checkpoint") ? [i + 1] : [],
    );
    const cwd = join(workspace, `interrupted-${interrupted.size}`);
    mkdirSync(cwd);
    const folder = join(cwd, "run");
    // A few events after the second checkpoint, of three or more.
    const circumstances = { cwd, watched: folder, kill: `${checkpoints[1] + 4}:after` };
    await runSoftrl([...args, "--run-folder", "run"], circumstances);
    return folder;
  }
}

/** Two commands at once on one folder. */
export const pairs = {
  name: "pairs",
  about: "two commands at once on one run folder",
  /** @param {number} seed @param {CaseContext} context */
  async run(seed, { path, workspace, commands }) {
    const random = new RandomStreams(seed).stream("pairs");
    const configuration = pick(random, small);
    const baseline = await baselineOf(configuration, workspace);
    const folder = makeCaseFolder(path);
    const { work, run } = folder;
    const train = [...configuration.args, "--run-folder", "run"];
    const others = commands.has("report") ? [...readers, ["report", "run"]] : readers;
    const fresh = random.integer(3) === 0;
    const pair = fresh ? [train, train] : [resume, random.integer(2) === 0 ? resume : pick(random, others)];
    if (!fresh) cpSync(await interruptedRun(configuration, workspace), run, { recursive: true });
    const later = random.integer(3) === 0 ? random.integer(400) : 0;
    const outcomes = await Promise.all(
      pair.map(async (args, i) => {
        if (i === 1) await new Promise((resolve) => setTimeout(resolve, later));
        return runSoftrl(args, { cwd: work });
      }),
    );
    /** @type {string[]} */
    const faults = [];
    for (const outcome of outcomes) {
      const found = faultsOf(outcome);
      if (found.length > 0) faults.push(...found, outcomeText(outcome));
    }
    const story = pair.map(([name], i) => `${name} (exit code ${outcomes[i].code})`).join(" and ");
    if (!outcomes.some(({ code }) => code === 0)) faults.push("neither of two commands did its work");
    // A reader may hold the folder for a moment.
    if (!fresh && pair[1] !== resume && outcomes[0].code === 1 && faults.length === 0) {
      const again = await runSoftrl(resume, { cwd: work });
      if (again.code !== 0) faults.push("resume failed afterwards", outcomeText(again));
    }
    if (existsSync(run) && faults.length === 0) faults.push(...runDifferences(baseline.folder, run));
    if (faults.length > 0) faults.push(...outcomes.map(outcomeText));
    return { about: `${configuration.name}, ${story}${later > 0 ? `, ${later} ms later` : ""}`, faults };
  },
};
