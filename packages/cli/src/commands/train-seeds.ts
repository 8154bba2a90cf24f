import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SoftrlError } from "softrl";
import { makeFolders } from "../files/make-folders.js";
import { codeOf } from "../files/regular-file.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { planRun, type RunDraft } from "../runs/run-plan.js";
import { outputOf } from "../runs/training.js";
import { codeVersion } from "../sweeps/code-version.js";
import { earlierOf, withoutEarlier } from "../sweeps/replaced-run.js";
import { sweepFiles } from "../sweeps/results-file.js";
import { capacityOption, runSweep, runsHere } from "../sweeps/run-sweep.js";
import { requireVersion } from "../sweeps/run-version.js";
import { seedList } from "../sweeps/seed-list.js";
import { SweepFolder } from "../sweeps/sweep-folder.js";
import { keyOf, type SweepPlan, settingsText } from "../sweeps/sweep-plan.js";
import { pathArgument } from "../terminal/shown-path.js";
import type { Terminal } from "../terminal/terminal.js";

/** Options that are not those of each run. */
const ofSweep = ["seeds", "jobs", "runFolder", "json", "chart"];

/**
 * `softrl train --seeds 1..5`: one run for each seed, each in a process of its own and a run folder of its own.
 * @param given the options as arguments, by their names
 */
export async function trainSeedsCommand(
  options: OptionValues,
  draft: RunDraft,
  given: ReadonlyMap<string, string>,
  terminal: Terminal,
): Promise<number> {
  if (options.seeds === undefined) {
    throw new SoftrlError("--jobs", "one run is one job", { remedy: "name several seeds: --seeds 1..5" });
  }
  const seeds = seedList("--seeds", options.seeds);
  if (given.has("seed")) {
    throw new SoftrlError("--seed", "--seeds names the seeds", { remedy: "leave --seed out" });
  }
  // A wrong option is refused before the parts are loaded.
  const capacity = capacityOption(options.jobs);
  const { config, parts, chosenExecutor } = await planRun(options, draft);
  const version = codeVersion();
  const args = [...given].filter(([name]) => !ofSweep.includes(name)).map(([, argument]) => argument);
  const variant = parts.kinds.algorithm.title;
  const runs = seeds.map((seed) => {
    const settings = settingsText(config, seed, chosenExecutor);
    const cells = [{ variant, environment: config.environment.id, seed }];
    const { steps } = config.run;
    return {
      cells,
      key: keyOf(settings, version),
      settings,
      version,
      args: [...args, `--seed=${seed}`],
      steps,
    };
  });
  const plan: SweepPlan = { cells: runs.flatMap(({ cells }) => cells), runs, version };
  const named = textOption(options, "runFolder");
  const name = `${basename(config.environment.id)}-seeds-${config.algorithm.name}`;
  const path = named === undefined ? numberedFolder(name) : namedFolder(named);
  const { json, pictures } = outputOf(options);
  const folder = new SweepFolder(path, {
    plan,
    fresh: false,
    keepRuns: true,
    charts: pictures,
    runFolder: ({ cells: [{ seed }] }) => join(path, `seed-${seed}`),
  });
  for (const run of runs) {
    if (!["other-settings", "other-defaults"].includes(folder.standing(run, run.cells[0]))) continue;
    throw new SoftrlError(path, "the runs in this folder have other settings", {
      remedy: "choose another folder with --run-folder",
    });
  }
  for (const run of runs) {
    if (folder.isDone(run)) continue;
    const own = folder.runFolder(run);
    for (const each of [own, earlierOf(own)]) requireVersion(each, version);
  }
  const again = `the same command with --run-folder ${pathArgument(path)}`;
  return runSweep({ plan, folder, make: runsHere(folder, capacity), json, again }, terminal);
}

/** The first free one of `runs/<name>`, `runs/<name>-2`, … */
function numberedFolder(name: string): string {
  const safe = name.replaceAll(/[^\w.-]/g, "_").slice(0, 200);
  for (let number = 1; ; number++) {
    const path = join("runs", number === 1 ? safe : `${safe}-${number}`);
    try {
      makeFolders(dirname(path));
      mkdirSync(path);
      return path;
    } catch (error) {
      if (codeOf(error) === "EEXIST" && existsSync(path)) continue;
      throw new SoftrlError(path, "the folder of the runs could not be made", {
        got: error instanceof Error ? error.message : String(error),
        remedy: "make the folder writable, or choose another with --run-folder",
      });
    }
  }
}

/** @throws SoftrlError for a folder with something else in it than runs of `--seeds`. */
function namedFolder(path: string): string {
  const entries = existsSync(path) ? entriesOf(path) : [];
  const isOwn = (name: string) =>
    name.startsWith(".") ||
    /^seed-\d+$/.test(withoutEarlier(name)) ||
    Object.values(sweepFiles).some((file) => file === name);
  const foreign = entries.find((name) => !isOwn(name));
  if (path.trim() !== "" && foreign === undefined) return path;
  throw new SoftrlError("--run-folder", "invalid value", {
    expected: "a new or empty folder, or that of an earlier --seeds to continue",
    got: foreign === undefined ? JSON.stringify(path) : `${path} with ${foreign}`,
  });
}

function entriesOf(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return ["a file"];
  }
}
