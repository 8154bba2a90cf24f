import { basename } from "node:path";
import {
  type AlgorithmKind,
  type AtariProtocol,
  type EvaluationPoint,
  type ExecutorIdentity,
  executorIdentity,
  type KindSection,
  type LearningCurve,
  type LiveNumber,
  type Provenance,
  type RunConfig,
  type SetEvent,
  scheduleText,
  type Trainer,
  type TrainResult,
  version,
} from "softrl";
import type { NamedCurve } from "../figures/curve.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import { provenance } from "./provenance.js";
import { RunFolder, runFiles } from "./run-folder.js";
import type { RunPlan } from "./run-plan.js";

/** The settings that were changed during a run, and when. */
export type Change = Omit<SetEvent, "event">;

/** The outcome of a run, as `result.json` keeps it and `--json` prints it. */
export interface RunReport extends TrainResult, ExecutorIdentity, Provenance {
  /** The algorithm's name. */
  readonly algorithm: string;
  readonly environment: string;
  /** Of Atari's environments only. */
  readonly atariProtocol?: AtariProtocol;
  readonly seed: number;
  /** Settings that `resume` changed; absent if there are none. */
  readonly changes?: readonly Change[];
  readonly version: string;
}

/** An environment as results name it, with the rules that it was played by where there are two sets of them. */
export function environmentPlayed({
  environment: { id, atariProtocol },
}: Pick<RunConfig, "environment">): Pick<RunReport, "environment" | "atariProtocol"> {
  return { environment: id, ...(atariProtocol === undefined ? {} : { atariProtocol }) };
}

/** {@link environmentPlayed} for people. */
export function environmentTitle({
  environment: { id, atariProtocol },
}: Pick<RunConfig, "environment">): string {
  return atariProtocol === undefined ? id : `${id} (${atariProtocol})`;
}

/** What `--json` prints of a run that was interrupted before its first step. */
export function notStarted(config: RunConfig): object {
  const result = { meanReturn: null, episodes: 0, steps: 0, stepsPerSecond: 0, interrupted: true };
  return {
    algorithm: config.algorithm.name,
    ...environmentPlayed(config),
    seed: config.run.seed,
    ...result,
    version,
    runFolder: null,
  };
}

/** The folder that `--run-folder` names, or the next free one below `runs/`. */
export function openRunFolder(options: OptionValues, config: RunConfig, kind: string): RunFolder {
  const path = textOption(options, "runFolder");
  if (path !== undefined) return RunFolder.create(path);
  const name = `${basename(config.environment.id)}-seed${config.run.seed}-${kind}`;
  const safe = name.replaceAll(/[^\w.-]/g, "_");
  return RunFolder.createNumbered(`runs/${safe.slice(0, MOST_CHARACTERS)}`);
}

/** File systems take names of 255 bytes; the number of the folder follows. */
const MOST_CHARACTERS = 200;

/** Writes the settings that a run starts from; `--config` reads them. */
export function writeConfig(folder: RunFolder, config: RunConfig): void {
  folder.write(runFiles.config, json(config));
}

/** Writes the outcome of a run: its chart, the oracle's if it had one, and its result. */
export async function writeReport(
  folder: RunFolder,
  { config, parts, executor }: RunPlan,
  result: TrainResult,
  { curve, measurements, evaluations }: Pick<Trainer, "curve" | "measurements" | "evaluations">,
): Promise<RunReport> {
  const changes = folder.changes();
  const report = {
    algorithm: config.algorithm.name,
    ...environmentPlayed(config),
    seed: config.run.seed,
    ...result,
    ...(changes.length === 0 ? {} : { changes }),
    ...executorIdentity(executor),
    version,
    ...provenance(),
  };
  const { algorithm } = parts.kinds;
  await writeChart(folder, config, [named(algorithm, curve)], evaluations);
  if (measurements.length > 0) {
    const { oracleSvg } = await import("../figures/chart.js");
    const title = `${algorithm.title} on ${environmentTitle(config)}`;
    folder.write(runFiles.oracle, oracleSvg(measurements, { title, subtitle: subtitle(config) }));
  }
  writeResult(folder, report);
  return report;
}

/**
 * Draws the curves of a run, or of several with the same settings.
 * @param evaluations those of a single run
 */
export async function writeChart(
  folder: RunFolder,
  config: RunConfig,
  curves: readonly NamedCurve[],
  evaluations: readonly EvaluationPoint[] = [],
): Promise<void> {
  // Loaded when there is something to draw: it takes longer than all the rest of the command.
  const { learningCurveSvg } = await import("../figures/chart.js");
  const text = { title: environmentTitle(config), subtitle: subtitle(config) };
  folder.write(runFiles.chart, learningCurveSvg(curves, text, evaluations));
}

/** The settings of a run that its chart names, where the algorithm has them. */
function subtitle({ run, environment, algorithm }: RunConfig): string {
  const symbols = [
    ["n", algorithm.horizon ?? algorithm.returnSteps],
    ["τ", readsTau(algorithm) ? algorithm.tau : undefined],
    ["γ", algorithm.gamma],
  ] as const;
  const values = symbols.flatMap(([symbol, value]) =>
    isNumber(value) ? [`${symbol} = ${scheduleText(value)}`] : [],
  );
  const settings = [`seed ${run.seed}`, `${environment.count} environments`, ...values].join(", ");
  return `${settings}; softrl ${version}`;
}

/** Whether an algorithm with these settings reads its τ, if it has one: greedy Q-learning does not. */
export const readsTau = ({ backup, behaviour }: KindSection): boolean =>
  backup !== "hard" || behaviour === "boltzmann";

const isNumber = (value: unknown): value is LiveNumber =>
  typeof value === "number" ||
  (typeof value === "object" && value !== null && ("from" in value || "steps" in value));

/** Writes the outcome of a command. */
export function writeResult(folder: RunFolder, result: unknown): void {
  folder.write(runFiles.result, json(result));
}

/** A curve under its algorithm's name for people. */
export const named = ({ title }: AlgorithmKind, curve: LearningCurve): NamedCurve => ({
  name: title,
  ...curve,
});

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
