import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { oneLine } from "softrl";
import { readText } from "../files/csv-file.js";
import { type TrainedRun, trainedRun, unnamedSettings, variantNames } from "../plots/trained-run.js";
import { findRuns } from "../runs/find-runs.js";
import { runFiles } from "../runs/run-folder.js";
import { pathArgument } from "../terminal/shown-path.js";
import type { PlannedGroup, ReportSource, VariantSettings } from "./report-model.js";

/** A run, and the variant that it is of. */
interface NamedRun extends TrainedRun {
  readonly variant: string;
}

/**
 * Reads run folders, and folders with run folders in them. Runs that differ in their seed alone are one variant.
 * @throws SoftrlError for a folder without runs, and for damaged events.
 */
export function runsSource(paths: readonly string[]): ReportSource {
  const trained = findRuns(paths).map(({ folder }) => trainedRun(folder));
  const names = variantNames(trained);
  const runs = trained.map((run, i): NamedRun => ({ ...run, variant: names[i] }));
  const groups = groupedRuns(runs);
  return {
    title: paths.map((path) => oneLine(basename(resolve(path)), 100)).join(", "),
    runs: runs.map(({ variant, environment, seed, curve, score, origin }) => {
      const drawn = curve.steps.length === 0 ? null : curve;
      return { variant, environment, seed, curve: drawn, score, ...origin, stepsPerSecond: null };
    }),
    planned: groups.map(plannedGroup),
    published: {},
    settings: runs.map(settingsOf),
    commands: groups.map(commandOf),
    files: groups.flatMap(([{ folder }]) => {
      const name = join(folder, runFiles.config);
      return existsSync(name) ? [{ name, text: readText(name) }] : [];
    }),
    remarks: remarksOf(runs),
  };
}

function groupedRuns(runs: readonly NamedRun[]): readonly (readonly NamedRun[])[] {
  const groups = new Map<string, NamedRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.variant, run.environment]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(run);
  }
  return [...groups.values()];
}

const plannedGroup = (runs: readonly NamedRun[]): PlannedGroup => {
  const [{ variant, environment }] = runs;
  return { variant, environment, seeds: runs.length };
};

function settingsOf({ variant, settings }: NamedRun): VariantSettings {
  const named = Object.entries(settings).filter(([name]) => !unnamedSettings.includes(name));
  return {
    variant,
    values: new Map(named.map(([name, value]) => [name, [oneLine(String(value ?? "none"), 200)]])),
  };
}

function commandOf([first, ...others]: readonly NamedRun[]): string {
  const command = `npx softrl train --config ${pathArgument(join(first.folder, runFiles.config))}`;
  if (others.length === 0) return command;
  const seeds = [first, ...others].map(({ seed }) => seed);
  return `${command} --seeds ${seeds.sort((a, b) => Number(a) - Number(b)).join(",")}`;
}

function remarksOf(runs: readonly NamedRun[]): readonly string[] {
  const share = (some: readonly NamedRun[]) =>
    runs.length === 1 ? "The run" : `${some.length} of ${runs.length} runs`;
  const unfinished = runs.filter(({ finished }) => !finished);
  const changed = runs.filter(({ changed }) => changed);
  return [
    ...(unfinished.length === 0
      ? []
      : [
          `${share(unfinished)} did not reach the last step; the latest mean return counts (${folders(unfinished)}).`,
        ]),
    ...(changed.length === 0
      ? []
      : [
          `${share(changed)} had settings changed on the way, which the commands below do not repeat (${folders(changed)}).`,
        ]),
  ];
}

function folders(runs: readonly NamedRun[]): string {
  const names = runs.slice(0, 3).map(({ folder }) => oneLine(basename(resolve(folder)), 100));
  return `${names.join(", ")}${runs.length > 3 ? ", …" : ""}`;
}
