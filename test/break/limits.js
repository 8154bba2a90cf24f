// @ts-check
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { RandomStreams } from "softrl";
import { makeCaseFolder } from "./case-folder.js";
import { runDifferences } from "./compare-runs.js";
import { configurations } from "./configurations.js";
import { baselineOf } from "./kills.js";
import { pick } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";
import { runSoftrl } from "./processes.js";

/** @typedef {import("./outcome.js").Outcome} Outcome */

const small = configurations.filter(({ name }) => /CartPole|GridWorld|MinAtar.Breakout/.test(name));

/** A run on a full disk or with few resources, resumed with enough. */
export const limits = {
  name: "limits",
  about:
    "runs and what is made of them on a full disk, or runs with little memory, few files or small files, resumed without the limit",
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, { path, workspace }) {
    const random = new RandomStreams(seed).stream("limits");
    const configuration = pick(random, small);
    const baseline = await baselineOf(configuration, workspace);
    const { work } = makeCaseFolder(path);
    const size = readdirSync(baseline.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)).length)
      .reduce((sum, length) => sum + length, 0);
    const kilobytes = Math.max(4, Math.round((size / 1024) * random.uniform(0.1, 2.2)));
    const limit = [
      () => ({ name: `files of at most ${kilobytes} KiB`, shell: `ulimit -f ${kilobytes}` }),
      () => {
        // With fewer than 18, Node ends with a segmentation fault, whatever it executes.
        const files = 18 + random.integer(60);
        return { name: `at most ${files} open files`, shell: `ulimit -n ${files}` };
      },
      () => {
        const mebibytes = 600 + random.integer(3000);
        return { name: `${mebibytes} MiB of address space`, shell: `ulimit -v ${mebibytes * 1024}` };
      },
      () => ({ name: `a disk of ${kilobytes} KiB`, shell: null }),
      () => ({ name: `a disk of ${kilobytes} KiB`, shell: null }),
    ][seed % 5]();
    const place = join(work, "disk");
    mkdirSync(place);
    const mounted = limit.shell === null && mount(place, kilobytes);
    if (limit.shell === null && !mounted)
      return { about: "no disk of its own can be mounted here", faults: [], tally: "skipped" };
    const run = join(place, "run");
    /** @type {string[]} */
    const faults = [];
    const story = [configuration.name, limit.name];
    try {
      const limited = await runSoftrl([...configuration.args, "--run-folder", run], {
        cwd: work,
        ...(limit.shell === null ? {} : { limits: limit.shell }),
      });
      // Where Node itself cannot live, softrl has no say; what it has written must be whole all the same.
      const ofNode = !limited.hung && isOfNode(limited);
      story.push(ofNode ? "Node itself failed" : `exit code ${limited.code}`);
      if (!ofNode) faults.push(...faultsOf(limited, { seconds: 10 }));
      if (existsSync(run) && !ofNode) faults.push(...unfinished(run));
      if (faults.length > 0) faults.push(outcomeText(limited));
      if (mounted) {
        const written = await writeFull(pick(random, writers), baseline.folder, place, work);
        story.push(written.about);
        faults.push(...written.faults);
      }
      if (limited.code !== 0) {
        if (mounted) execFileSync("mount", ["-o", "remount,size=64m", place]);
        story.push(await resumeFreely(run, work, baseline.folder, faults));
      }
    } finally {
      if (mounted) execFileSync("umount", ["-l", place]);
    }
    return { about: story.join(", "), faults, tally: [story[2], ...story.slice(mounted ? 4 : 3)].join(", ") };
  },
};

/** Commands that write a file or a folder of their own. @type {readonly (readonly [command: string, out: string])[]} */
const writers = [
  ["plot", "figure.png"],
  ["plot", "figure.svg"],
  ["csv", "tables"],
  ["tensorboard", "logs"],
  ["record", "film.gif"],
  ["record", "frames"],
];

/**
 * Writes something of a run onto a full disk: it is whole, or not there.
 * @param {readonly [command: string, out: string]} writer
 * @param {string} run @param {string} place @param {string} cwd
 */
async function writeFull([command, out], run, place, cwd) {
  const options = command === "record" ? ["--max-steps", "30"] : [];
  const outcome = await runSoftrl([command, run, "--out", join(place, out), ...options], { cwd });
  const faults = faultsOf(outcome, { seconds: 10 });
  const names = readdirSync(place, { recursive: true }).map(String);
  const own = names.filter((name) => name !== "run" && !name.startsWith(`run${sep}`));
  for (const name of own) {
    if (name.endsWith(".unfinished")) faults.push(`${name} was left`);
    if (!name.endsWith(".png")) continue;
    // The last chunk of a PNG: length, name, checksum.
    const bytes = readFileSync(join(place, name));
    if (bytes.toString("latin1", bytes.length - 8, bytes.length - 4) !== "IEND")
      faults.push(`${name} is cut off`);
  }
  if (faults.length > 0) faults.push(outcomeText(outcome));
  return { about: `${command} ${out} (exit code ${outcome.code})`, faults };
}

/**
 * @param {string} run
 * @param {string} cwd
 * @param {string} expected
 * @param {string[]} faults
 */
async function resumeFreely(run, cwd, expected, faults) {
  const resumed = await runSoftrl(["resume", run], { cwd });
  if (!existsSync(join(run, "checkpoint.safetensors"))) {
    faults.push(...faultsOf(resumed));
    rmSync(run, { recursive: true, force: true });
    return "nothing to resume yet";
  }
  if (resumed.code !== 0) faults.push("resume failed", outcomeText(resumed));
  else faults.push(...runDifferences(expected, run));
  return "resumed";
}

/** @param {string} run */
function unfinished(run) {
  const faults = readdirSync(run)
    .filter((name) => name.endsWith(".unfinished"))
    .map((name) => `${name} was left`);
  const events = join(run, "events.jsonl");
  if (!existsSync(events)) return faults;
  const lines = readFileSync(events, "utf8").split("\n");
  if (lines.pop() !== "") faults.push("events.jsonl ends in half a line");
  return faults;
}

/**
 * Whether the JavaScript engine or its loader failed for want of memory or files, before softrl could report anything.
 * @param {Outcome} outcome
 */
function isOfNode({ code, signal, stderr }) {
  if (stderr.includes("softrl: ")) return false;
  const died =
    signal === "SIGTRAP" || signal === "SIGILL" || signal === "SIGABRT" || code === 133 || code === 134;
  return died || /Fatal|out of memory|EMFILE|node::|cannot allocate|bad_alloc|Cannot create/i.test(stderr);
}

/** @param {string} place @param {number} kilobytes */
function mount(place, kilobytes) {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "none", place], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
