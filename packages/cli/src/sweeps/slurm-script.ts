import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { largest, SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { codeOf } from "../files/regular-file.js";
import { pathArgument } from "../terminal/shown-path.js";
import { SECONDS_TO_STOP } from "../terminal/supervisor.js";
import { counted, type Terminal, writeJson } from "../terminal/terminal.js";
import { coresOf } from "./run-sweep.js";
import type { SweepFolder } from "./sweep-folder.js";
import type { SweepPlan } from "./sweep-plan.js";

/** Slurm's own limit for arrays, unless a cluster sets another, is 1001. */
const MOST_TASKS = 1000;
/** How long before its time limit a task is asked to write its checkpoints. */
const SECONDS_BEFORE_LIMIT = SECONDS_TO_STOP + 20;

/** What a script trains, with absolute paths. */
export interface SlurmScript {
  readonly node: string;
  /** The `softrl` command. */
  readonly bin: string;
  readonly definition: string;
  /** The folder of the tables. */
  readonly out: string;
  /** Whether only results of the same settings and version count as done. */
  readonly fresh: boolean;
  /** Where Slurm writes what the tasks print. */
  readonly logs: string;
  readonly keys: readonly string[];
  /** Of each task: enough for any of the runs. */
  readonly cores: number;
}

/**
 * A script for `sbatch`: an array with a task for each run, or for several one after the other where there are more than
 * 1000. A task that ends early continues its runs when the script is submitted again.
 * @throws SoftrlError for a path that a line of options cannot hold.
 */
export function slurmScript(script: SlurmScript): string {
  const { node, bin, definition, out, fresh, logs, keys, cores } = script;
  if (/["\\]|\p{Cc}/u.test(logs)) {
    throw new SoftrlError(logs, "Slurm cannot write into a folder of this name", {
      expected: "a path without quotes, backslashes and line breaks",
    });
  }
  const tasks = Math.min(MOST_TASKS, keys.length);
  const options = [
    "--job-name=softrl",
    `--array=0-${tasks - 1}`,
    "--ntasks=1",
    `--cpus-per-task=${cores}`,
    `--output="${logs.replaceAll("%", "%%")}/%A_%a.out"`,
    "--open-mode=append",
    "--requeue",
    `--signal=B:TERM@${SECONDS_BEFORE_LIMIT}`,
  ];
  const command = [node, bin, "sweep", definition, "--out", out, ...(fresh ? ["--fresh"] : [])];
  return [
    "#!/bin/bash",
    ...options.map((option) => `#SBATCH ${option}`),
    "",
    "# Each task trains the runs of its keys; a run that was interrupted goes on from its checkpoint.",
    "keys=(",
    ...keys.map((key) => `  ${key}`),
    ")",
    "only=",
    `for ((i = SLURM_ARRAY_TASK_ID; i < \${#keys[@]}; i += ${tasks})); do`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is bash.
    '  only="${only:+$only,}${keys[i]}"',
    "done",
    // exec, so that Slurm's signals reach softrl.
    `exec ${command.map(quoted).join(" ")} \\`,
    '  --only "$only"',
    "",
  ].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What `softrl sweep --slurm` writes. */
export interface SlurmCommand {
  readonly path: string;
  readonly definition: string;
  readonly out: string;
  readonly fresh: boolean;
  /** The command that collects the results. */
  readonly again: string;
  readonly plan: SweepPlan;
  readonly folder: SweepFolder;
}

/** Writes a script for the runs that have no result, and prints how to use it; returns the exit code. */
export function writeSlurmScript(
  { path, definition, out, fresh, again, plan, folder }: SlurmCommand,
  json: boolean,
  terminal: Terminal,
): number {
  const left = plan.runs.filter((run) => !folder.isDone(run));
  const keys = left.map(({ key }) => key);
  if (keys.length === 0) {
    terminal.err.write("softrl: every run has its result; no script is needed\n");
    if (json) writeJson(terminal.out, { script: null, runs: 0 });
    return 0;
  }
  const logs = join(resolve(out), "slurm");
  const text = slurmScript({
    node: process.execPath,
    bin: fileURLToPath(new URL("../../bin/softrl.js", import.meta.url)),
    definition: resolve(definition),
    out: resolve(out),
    fresh,
    logs,
    keys,
    cores: largest(left.map(coresOf)),
  });
  let removeMade = () => {};
  try {
    removeMade = makeFolders(logs);
    writeFileSync(path, text, { flag: "wx", mode: 0o755 });
  } catch (error) {
    removeMade();
    const isThere = codeOf(error) === "EEXIST";
    throw new SoftrlError("--slurm", isThere ? "the file exists" : "the script could not be written", {
      got: isThere ? path : error instanceof Error ? error.message : String(error),
      remedy: isThere ? "remove it, or name a new one" : "name a file in a folder that you can write",
    });
  }
  if (json) writeJson(terminal.out, { script: path, runs: keys.length });
  else {
    terminal.out.write(
      `${counted(keys.length)} runs: sbatch ${pathArgument(path)}\nonce they have ended: ${again}\n`,
    );
  }
  return 0;
}
