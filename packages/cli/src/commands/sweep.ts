import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { quietly } from "../files/regular-file.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { QueuedRuns } from "../queue/queued-runs.js";
import { connect, queueLibraries, redisAddress } from "../queue/redis.js";
import { codeVersion } from "../sweeps/code-version.js";
import { readDefinition } from "../sweeps/definition.js";
import { leftRunLines } from "../sweeps/left-runs.js";
import { trainOnly } from "../sweeps/lone-runs.js";
import { capacityOption, type MakeRuns, runSweep, runsHere, type SweepCommand } from "../sweeps/run-sweep.js";
import { writeSlurmScript } from "../sweeps/slurm-script.js";
import { SweepFolder } from "../sweeps/sweep-folder.js";
import { planSweep, type SweepPlan } from "../sweeps/sweep-plan.js";
import { pathArgument } from "../terminal/shown-path.js";
import type { Terminal } from "../terminal/terminal.js";

/** `softrl sweep <definition>`: every run of a definition, each in a process of its own. */
export async function sweepCommand(
  named: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  requireOneWay(options);
  // A wrong option is refused before the definition is read.
  const capacity = capacityOption(options.jobs);
  const definition = await readDefinition(named);
  const out = textOption(options, "out") ?? definition.folder;
  if (out.trim() === "") {
    throw new SoftrlError("--out", "invalid value", { expected: "the path of a folder", got: '""' });
  }
  const plan = await planSweep(definition, codeVersion());
  const fresh = options.fresh === true;
  const folder = new SweepFolder(out, {
    plan,
    fresh,
    keepRuns: options.keepRuns === true,
    charts: false,
    runFolder: ({ key }) => join(out, "runs", key),
  });
  if (!fresh) requireSameSettings(plan, folder);
  const { queue, slurm, only } = options;
  const again = continuation(named, options);
  const json = options.json === true;
  if (slurm !== undefined) {
    const script = { path: String(slurm), definition: named, out, fresh, again, plan, folder };
    return writeSlurmScript(script, json, terminal);
  }
  if (only !== undefined) return trainOnly(plan, folder, { only, capacity, json, again }, terminal);
  const command = { plan, folder, json, again };
  for (const line of leftRunLines(out, join(out, "runs"), plan)) terminal.err.write(`${line}\n`);
  if (queue !== undefined) return queueSweep(command, queue, terminal);
  // Once all runs have their results, no run folder is left in it.
  return runSweep({ ...command, make: runsHere(folder, capacity) }, terminal).finally(() =>
    quietly(rmdirSync, join(out, "runs")),
  );
}

/** Queues the runs, and waits for what workers return. */
async function queueSweep(
  command: Omit<SweepCommand, "make">,
  queue: unknown,
  terminal: Terminal,
): Promise<number> {
  const address = redisAddress("--queue", queue);
  const libraries = await queueLibraries("--queue");
  const { folder, plan, again } = command;
  const { version } = plan;
  const connection = await connect(libraries, address, terminal.err);
  const report = (line: string) => void terminal.err.write(`softrl: ${line}\n`);
  const queued = new QueuedRuns({ libraries, connection, folder, version, report });
  const make: MakeRuns = {
    doing: "queueing",
    make: (runs, watcher, interrupted) => queued.make(runs, watcher, interrupted),
  };
  const shared = { ...command, again: `${again} --queue ${address.shown}`, make };
  return runSweep(shared, terminal).finally(() => connection.close());
}

/** @throws SoftrlError for two ways to train the runs, and for options of another way. */
function requireOneWay(options: OptionValues): void {
  const ways = ["queue", "slurm", "only"].filter((name) => options[name] !== undefined);
  const [way, other] = ways;
  if (way === undefined) return;
  if (other !== undefined) {
    throw new SoftrlError(`--${other}`, `this cannot be combined with --${way}`, { remedy: "choose one" });
  }
  const refused: Readonly<Record<string, string>> = {
    ...(way === "only"
      ? {}
      : { jobs: way === "queue" ? "pass it to softrl work" : "pass --cpus-per-task to sbatch" }),
    keepRuns:
      way === "queue"
        ? "the run folders belong to the workers"
        : "pass it to the sweep that collects the results",
  };
  for (const [name, remedy] of Object.entries(refused)) {
    if (options[name] === undefined) continue;
    const flag = name === "jobs" ? "--jobs" : "--keep-runs";
    throw new SoftrlError(flag, `this has no effect with --${way}`, { remedy });
  }
}

/** The command that continues an interrupted sweep: without `--fresh`, results of older versions would count as done. */
export function continuation(named: string, options: OptionValues): string {
  const [out, jobs] = [textOption(options, "out"), textOption(options, "jobs")];
  return [
    `softrl sweep ${pathArgument(named)}`,
    ...(out === undefined ? [] : [`--out ${pathArgument(out)}`]),
    ...(jobs === undefined ? [] : [`--jobs ${pathArgument(jobs)}`]),
    ...(options.fresh === true ? ["--fresh"] : []),
    ...(options.keepRuns === true ? ["--keep-runs"] : []),
  ].join(" ");
}

/** @throws SoftrlError where a result of this version has other settings than the definition's. */
function requireSameSettings({ runs, version }: SweepPlan, folder: SweepFolder): void {
  for (const run of runs) {
    const cell = run.cells.find((cell) => folder.standing(run, cell) === "other-settings");
    if (cell === undefined) continue;
    const { variant, environment, seed } = cell;
    const what = `the result of ${JSON.stringify(variant)} on ${environment} with seed ${seed} has other settings`;
    throw new SoftrlError(folder.path, what, {
      expected: "the settings of the definition",
      got: `a result of the same version, ${version}`,
      remedy: "give the changed variant another name, or pass --fresh to replace such results",
    });
  }
}
