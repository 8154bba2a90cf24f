import type { PlottedRun } from "../plots/plotted-run.js";
import { refuseRepeated, repeatedRun } from "../plots/repeated-run.js";
import { mergedSettings, type PlannedGroup, type ReportSource } from "./report-model.js";
import { isSweepFolder } from "./report-paths.js";
import { runsSource } from "./runs-source.js";
import { sweepSource } from "./sweep-source.js";

/**
 * Reads folders of sweeps, run folders, and folders with run folders in them.
 * @throws SoftrlError where there is no run, a table is damaged, or two runs have the same name, environment and seed.
 */
export async function readReportSource(paths: readonly string[]): Promise<ReportSource> {
  const sources: ReportSource[] = [];
  for (const path of paths) if (isSweepFolder(path)) sources.push(await sweepSource(path));
  const folders = paths.filter((path) => !isSweepFolder(path));
  if (folders.length > 0) sources.push(runsSource(folders));
  const source: ReportSource = {
    title: sources.map(({ title }) => title).join("; "),
    runs: sources.flatMap(({ runs }) => runs),
    planned: mergedGroups(sources.flatMap(({ planned }) => planned)),
    published: mergedScores(sources.map(({ published }) => published)),
    settings: mergedSettings(sources.flatMap(({ settings }) => settings)),
    commands: [...new Set(sources.flatMap(({ commands }) => commands))],
    files: sources.flatMap(({ files }) => files),
    remarks: [...new Set(sources.flatMap(({ remarks }) => remarks))],
  };
  requireDistinct(source.runs);
  return source;
}

function mergedGroups(groups: readonly PlannedGroup[]): readonly PlannedGroup[] {
  const merged = new Map<string, PlannedGroup>();
  for (const group of groups) {
    const key = JSON.stringify([group.variant, group.environment]);
    merged.set(key, { ...group, seeds: group.seeds + (merged.get(key)?.seeds ?? 0) });
  }
  return [...merged.values()];
}

function mergedScores(all: readonly ReportSource["published"][]): ReportSource["published"] {
  const merged = new Map<string, Readonly<Record<string, number>>>();
  for (const [source, scores] of all.flatMap(Object.entries<Readonly<Record<string, number>>>)) {
    merged.set(source, { ...merged.get(source), ...scores });
  }
  return Object.fromEntries(merged);
}

function requireDistinct(runs: readonly PlottedRun[]): void {
  const repeated = repeatedRun(runs);
  if (repeated !== null) refuseRepeated("report", runs[repeated[0]]);
}
