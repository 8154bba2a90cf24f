import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { oneLine, type RunConfig } from "softrl";
import { runFiles } from "../runs/run-folder.js";
import { pathArgument } from "../terminal/shown-path.js";
import { counted } from "../terminal/terminal.js";
import { outcomeIn } from "./finished-run.js";
import { claimRun } from "./folder-locks.js";
import { withoutEarlier } from "./replaced-run.js";
import { unwritable } from "./sweep-folder.js";
import type { SweepPlan } from "./sweep-plan.js";

const MOST_SHOWN = 5;

/**
 * Lines about unfinished runs in the folder of a sweep that no run of its definition continues: their variant was changed or
 * removed, or the code has another version. Runs that another process makes are left out.
 * @param runs the folder with the run folders
 */
export function leftRunLines(folder: string, runs: string, plan: SweepPlan): readonly string[] {
  const planned = new Set(plan.runs.map(({ key }) => key));
  const names = namesIn(runs);
  const left = names.filter((name) => {
    const key = withoutEarlier(name);
    return /^[0-9a-f]{16}$/.test(key) && !planned.has(key) && isLeft(folder, join(runs, name), key);
  });
  if (left.length === 0) return [];
  const shown = left.slice(0, MOST_SHOWN);
  return [
    `softrl: ${counted(left.length)} unfinished run${left.length === 1 ? "" : "s"} with other settings or another version of the code, which this definition does not continue; to remove:`,
    ...shown.map(
      (name) => `  ${oneLine(titleIn(join(runs, name)), 200)}: rm -r ${pathArgument(join(runs, name))}`,
    ),
    ...(left.length > shown.length ? [`  and ${counted(left.length - shown.length)} more in ${runs}`] : []),
  ];
}

/** @throws SoftrlError where it is no folder, or cannot be read. */
function namesIn(runs: string): readonly string[] {
  try {
    return existsSync(runs) ? readdirSync(runs).sort() : [];
  } catch (error) {
    throw unwritable(runs, "the folder of the runs could not be read", error);
  }
}

function isLeft(folder: string, path: string, key: string): boolean {
  if (!existsSync(join(path, runFiles.config)) || isFinished(path)) return false;
  try {
    const claim = claimRun(folder, key);
    claim?.release();
    return claim !== null;
  } catch {
    // On a full or a read-only disk it is not known whether another process makes it.
    return false;
  }
}

function isFinished(path: string): boolean {
  try {
    return outcomeIn(path) !== null;
  } catch {
    // It has ended, without an episode.
    return true;
  }
}

/** `a2c, CartPole-v1, seed 1` */
function titleIn(path: string): string {
  try {
    const { algorithm, environment, run }: RunConfig = JSON.parse(
      readFileSync(join(path, runFiles.config), "utf8"),
    );
    return `${algorithm.name}, ${environment.id}, seed ${run.seed}`;
  } catch {
    return "a run whose config.json is damaged";
  }
}
