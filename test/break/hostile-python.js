// @ts-check
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RandomStreams } from "softrl";
import { makeCaseFolder, snapshotOf, touched } from "./case-folder.js";
import { pick } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";
import { endLeftProcesses, MARK } from "./processes.js";

const modules = fileURLToPath(new URL("python_modules", import.meta.url));

/** What the environment may do, from its own tables. */
const deeds = Array.from(
  readFileSync(new URL("python_modules/softrl_hostile.py", import.meta.url), "utf8").matchAll(
    /^ {4}"([a-z0-9-]+)": /gm,
  ),
  ([, name]) => name,
);

/** Where it may do so, and the most calls before it does. */
const places = [
  { where: "make", most: 1 },
  { where: "reset", most: 3 },
  { where: "step", most: 9 },
  { where: "step", most: 25 },
  { where: "save", most: 2 },
];

/** Python environments that misbehave. */
export const hostilePython = {
  name: "python",
  about: "Gymnasium environments that misbehave: 200 cases take each behaviour about twice",
  inServer: true,
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, { path, execute, gymnasium }) {
    if (!gymnasium) return { about: "no Python with Gymnasium", faults: [], tally: "skipped" };
    const random = new RandomStreams(seed).stream("python");
    // Consecutive seeds take every behaviour once before any of them twice, mixed: the stride is prime.
    const what = deeds[(seed * 37) % deeds.length];
    const { where, most } = pick(random, places);
    const at = 1 + random.integer(most);
    const { work } = makeCaseFolder(path);
    const before = snapshotOf(path);
    const mark = `${process.pid}-python-${seed}`;
    const env = { PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: "1", SOFTRL_TIMEOUT: "10", [MARK]: mark };
    const options = `what=${what},where=${where},at=${at}`;
    const sizes = ["--envs", "2", "--steps", "60", "--checkpoint-every", "20", "--hidden-sizes", "4"];
    const args = [
      "train",
      "--env",
      "softrl_hostile:Hostile-v0",
      "--env-options",
      options,
      ...sizes,
      "--run-folder",
      "run",
    ];
    const outcome = await execute(args, { cwd: work, env });
    const found = faultsOf(outcome);
    found.push(...touched(before, snapshotOf(path), (entry) => /^work\/run(\/|$)/.test(entry)));
    if (found.length > 0) found.push(outcomeText(outcome));
    const left = await endLeftProcesses(mark);
    // A daemon that leaves the process group may stay, see docs/reliability.md.
    if (what !== "start-session") found.push(...left.map((command) => `left running: ${command}`));
    // Shows whether the environment got as far as its misbehaviour.
    const answer = outcome.stderr.replace(/^softrl: gymnasium \S+ /, "").replace(/[^ -~]/g, "?");
    return {
      about: `${what} in ${where}, call ${at}: exit code ${outcome.code} ${answer.slice(0, 80)}`,
      faults: found,
    };
  },
};
