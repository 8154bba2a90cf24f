import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { quietly } from "../files/regular-file.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { codeVersion } from "../sweeps/code-version.js";
import { readDefinition } from "../sweeps/definition.js";
import { jobsOption, runSweep } from "../sweeps/run-sweep.js";
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
  const jobs = jobsOption(options.jobs);
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
  const again = continuation(named, options);
  const command = { plan, folder, jobs, json: options.json === true, again };
  // Once all runs have their results, no run folder is left in it.
  return runSweep(command, terminal).finally(() => quietly(rmdirSync, join(out, "runs")));
}

/** The command that continues an interrupted sweep: without `--fresh`, results of older versions would count as done. */
export function continuation(named: string, options: OptionValues): string {
  const out = textOption(options, "out");
  return [
    `softrl sweep ${pathArgument(named)}`,
    ...(out === undefined ? [] : [`--out ${pathArgument(out)}`]),
    ...(options.fresh === true ? ["--fresh"] : []),
    ...(options.keepRuns === true ? ["--keep-runs"] : []),
  ].join(" ");
}

/** @throws SoftrlError where a result of this version is of other settings than the definition's. */
function requireSameSettings({ runs, version }: SweepPlan, folder: SweepFolder): void {
  for (const run of runs) {
    const cell = run.cells.find((cell) => folder.standing(run, cell) === "other-settings");
    if (cell === undefined) continue;
    const { variant, environment, seed } = cell;
    const what = `the result of ${JSON.stringify(variant)} on ${environment} with seed ${seed} is of other settings`;
    throw new SoftrlError(folder.path, what, {
      expected: "the settings of the definition",
      got: `a result of the same version, ${version}`,
      remedy: "give the changed variant another name, or pass --fresh to replace such results",
    });
  }
}
