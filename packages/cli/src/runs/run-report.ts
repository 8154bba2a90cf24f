import { basename } from "node:path";
import {
  type AlgorithmName,
  type AtariProtocol,
  algorithmTitle,
  environmentFamily,
  type LearningCurve,
  type TrainConfig,
  type Trainer,
  type TrainResult,
  version,
} from "softrl";
import type { OptionValues } from "../options/config-options.js";
import type { NamedCurve } from "../figures/curve.js";
import { RunFolder, runFiles } from "./run-folder.js";

/** What a run came to, as `result.json` keeps it and `--json` prints it. */
export interface RunReport extends TrainResult {
  readonly algorithm: AlgorithmName;
  readonly environment: string;
  /** Of Atari's environments only. */
  readonly atariProtocol?: AtariProtocol;
  readonly seed: number;
  readonly executor: string;
  readonly version: string;
}

/** An environment as results name it, with the rules that it was played by where there are two sets of them. */
export function environmentPlayed(config: TrainConfig): Pick<RunReport, "environment" | "atariProtocol"> {
  const { environment, atariProtocol } = config;
  return environmentFamily(environment) === "atari" ? { environment, atariProtocol } : { environment };
}

/** {@link environmentPlayed} for people. */
export function environmentTitle(config: TrainConfig): string {
  const { environment, atariProtocol } = environmentPlayed(config);
  return atariProtocol === undefined ? environment : `${environment} (${atariProtocol})`;
}

/** What `--json` prints of a run that was interrupted before its first step. */
export function notStarted(config: TrainConfig): object {
  const { algorithm, seed } = config;
  const result = { meanReturn: null, episodes: 0, steps: 0, stepsPerSecond: 0, interrupted: true };
  return { algorithm, ...environmentPlayed(config), seed, ...result, version, runFolder: null };
}

/** The folder that `--run-folder` names, or the next free one below `runs/`. */
export function openRunFolder(options: OptionValues, config: TrainConfig, kind: string): RunFolder {
  if (typeof options.runFolder === "string") return RunFolder.create(options.runFolder);
  const id = basename(config.environment).replaceAll(/[^\w.-]/g, "_");
  return RunFolder.createNumbered(`runs/${id}-seed${config.seed}-${kind}`);
}

/** Writes what a run starts from: its settings, which `--config` takes as they are. */
export function writeConfig(folder: RunFolder, config: TrainConfig): void {
  folder.write(runFiles.config, json(config));
}

/** Writes what a run came to: its chart, the oracle's if it had one, and its result. */
export async function writeReport(
  folder: RunFolder,
  config: TrainConfig,
  executor: string,
  result: TrainResult,
  { curve, measurements }: Pick<Trainer, "curve" | "measurements">,
): Promise<RunReport> {
  const { algorithm, seed } = config;
  const report = { algorithm, ...environmentPlayed(config), seed, ...result, executor, version };
  await writeChart(folder, config, [named(algorithm, curve)]);
  if (measurements.length > 0) {
    const { oracleSvg } = await import("../figures/chart.js");
    const text = {
      title: `${algorithmTitle(algorithm)} on ${environmentTitle(config)}`,
      subtitle: subtitle(config),
    };
    folder.write(runFiles.oracle, oracleSvg(measurements, text));
  }
  writeResult(folder, report);
  return report;
}

/** Draws the curves of a run, or of several with the same settings. */
export async function writeChart(
  folder: RunFolder,
  config: TrainConfig,
  curves: readonly NamedCurve[],
): Promise<void> {
  // Loaded when there is something to draw: it takes longer than all the rest of the command.
  const { learningCurveSvg } = await import("../figures/chart.js");
  const text = { title: environmentTitle(config), subtitle: subtitle(config) };
  folder.write(runFiles.chart, learningCurveSvg(curves, text));
}

function subtitle({ seed, environments, horizon, tau, gamma }: TrainConfig): string {
  return `seed ${seed}, ${environments} environments, n = ${horizon}, τ = ${tau}, γ = ${gamma}; softrl ${version}`;
}

/** Writes what a command ends with. */
export function writeResult(folder: RunFolder, result: unknown): void {
  folder.write(runFiles.result, json(result));
}

/** A curve under its algorithm's name for people. */
export const named = (algorithm: AlgorithmName, curve: LearningCurve): NamedCurve => ({
  name: algorithmTitle(algorithm),
  ...curve,
});

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
