// @ts-check
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeCaseFolder } from "./case-folder.js";
import { pick } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";
import { runSoftrl } from "./processes.js";

/**
 * A finished run whose files are changed.
 * @typedef {{ readonly folder: string, readonly name: string }} BaseRun
 */

const shared = ["--steps", "200", "--envs", "2", "--checkpoint-every", "80", "--log-every", "50"];
const small = ["--hidden-sizes", "4"];
const evaluated = ["--evaluate-every", "100", "--evaluation-episodes", "2", "--evaluation-max-steps", "20"];
const trainings = [
  { name: "a2c on CartPole-v1", args: [...small], change: [] },
  {
    name: "soft-q on FrozenLake-v1",
    args: [
      "--algorithm",
      "soft-q",
      "--env",
      "FrozenLake-v1",
      ...small,
      "--oracle-every",
      "100",
      ...evaluated,
    ],
    change: [],
  },
  {
    name: "npg on GridWorld-v0",
    args: [
      "--algorithm",
      "npg",
      "--env",
      "GridWorld-v0",
      "--horizon",
      "10",
      ...small,
      "--env-options",
      "slip=0.2,maxEpisodeSteps=30",
    ],
    change: [],
  },
  {
    name: "a2c on MinAtar/Breakout-v1",
    args: ["--env", "MinAtar/Breakout-v1", "--horizon", "5"],
    change: ["--tau", "0.02", "--steps", "240"],
  },
  {
    name: "dqn on CartPole-v1",
    args: [
      "--algorithm",
      "dqn",
      ...small,
      "--replay",
      "prioritised",
      "--replay-start",
      "20",
      "--train-every",
      "4",
      "--batch-size",
      "8",
    ],
    change: [],
  },
];

/** The options of `softrl resume` that give such a run some more steps. */
export const EXTENDED = ["--steps", "260"];

/** @type {Promise<readonly BaseRun[]> | null} */
let made = null;

/**
 * The runs that cases change copies of, made once.
 * @param {string} workspace
 */
export function baseRuns(workspace) {
  made ??= Promise.all(
    trainings.map(async ({ name, args, change }, i) => {
      const cwd = join(workspace, `base-${i}`);
      mkdirSync(cwd);
      await succeed(["train", ...shared, ...args, "--run-folder", "run"], cwd);
      if (change.length > 0) await succeed(["resume", "run", ...change], cwd);
      // What holds for a whole run must be seen, or every refusal would look right.
      await succeed(["evaluate", "run", "--episodes", "1", "--max-steps", "20"], cwd);
      cpSync(join(cwd, "run"), join(cwd, "copy"), { recursive: true });
      await succeed(["resume", "copy", ...EXTENDED], cwd);
      return { name, folder: join(cwd, "run") };
    }),
  );
  return made;
}

/**
 * A case's folder with a copy of one of these runs.
 * @param {import("softrl").Random} random @param {import("./main.js").CaseContext} context
 */
export async function copyOfBaseRun(random, { workspace, path }) {
  const { name, folder } = pick(random, await baseRuns(workspace));
  return { name, folder: makeCaseFolder(path, folder) };
}

/** @param {readonly string[]} args @param {string} cwd */
async function succeed(args, cwd) {
  const finished = await runSoftrl(args, { cwd, hangMilliseconds: 300_000 });
  if (finished.code !== 0 || faultsOf(finished, { seconds: 60 }).length > 0)
    throw new Error(outcomeText(finished));
}
