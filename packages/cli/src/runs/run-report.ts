import { basename } from "node:path";
import {
  type AlgorithmKind,
  type AtariProtocol,
  type EvaluationPoint,
  type ExecutorIdentity,
  executorIdentity,
  type LearningCurve,
  type LiveNumber,
  type Provenance,
  type RunConfig,
  type RunOutcome,
  scheduleText,
  type TrainResult,
  version,
} from "softrl";
import type { NamedCurve } from "../figures/curve.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import type { Change, RunOrigin } from "./event-file.js";
import { provenance } from "./provenance.js";
import { RunFolder, runFiles } from "./run-folder.js";
import type { RunPlan } from "./run-plan.js";

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

interface EnvironmentNamed {
  readonly environment: Pick<RunConfig["environment"], "id" | "atariProtocol">;
}

/** An environment as results name it, with the rules that it was played by where there are two sets of them. */
export function environmentPlayed({
  environment: { id, atariProtocol },
}: EnvironmentNamed): Pick<RunReport, "environment" | "atariProtocol"> {
  return { environment: id, ...(atariProtocol === undefined ? {} : { atariProtocol }) };
}

/** {@link environmentPlayed} for people. */
export function environmentTitle({ environment: { id, atariProtocol } }: EnvironmentNamed): string {
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

/** The settings of a run that its report names. */
export interface ReportedConfig {
  readonly run: Pick<RunConfig["run"], "seed">;
  readonly environment: Pick<RunConfig["environment"], "id" | "count" | "atariProtocol">;
  readonly algorithm: { readonly name: string; readonly [setting: string]: unknown };
}

/** A run whose report is written. */
export interface ReportedRun {
  readonly config: ReportedConfig;
  /** The algorithm's title. */
  readonly title: string;
  readonly origin: RunOrigin;
  /** Whether its pictures are drawn, which is so unless set. */
  readonly pictures?: boolean;
}

/** A run that this process computes. */
export function reportedRun({ config, parts, executor }: RunPlan): ReportedRun {
  const origin = { ...executorIdentity(executor), version, ...provenance() };
  return { config, title: parts.kinds.algorithm.title, origin };
}

/** A report as it was written. */
export interface WrittenReport {
  readonly report: RunReport;
  /** Why there is no picture; null where there is one. */
  readonly pictureError: unknown;
}

/**
 * Writes the outcome of a run: its result, then its chart and the oracle's if it had one. Pictures that cannot be drawn
 * do not cost the result. Earlier pictures go first, so that none is older than the result beside it.
 */
export async function writeReport(
  folder: RunFolder,
  { config, title, origin, pictures = true }: ReportedRun,
  outcome: RunOutcome,
): Promise<WrittenReport> {
  const { changes } = folder;
  const report = {
    algorithm: config.algorithm.name,
    ...environmentPlayed(config),
    seed: config.run.seed,
    ...outcome.result,
    ...(changes.length === 0 ? {} : { changes }),
    ...origin,
  };
  const removal = await errorOf(() => {
    folder.remove(runFiles.chart);
    folder.remove(runFiles.oracle);
  });
  writeResult(folder, report);
  const draw = () => (pictures ? drawPictures(folder, config, title, outcome) : undefined);
  const pictureError = removal ?? (await errorOf(draw));
  return { report, pictureError };
}

/** Whether the folder has the report of a run that ended at this step. */
export function hasReport(folder: RunFolder, { result, measurements }: RunOutcome): boolean {
  const saved = folder.savedResult();
  const isCurrent =
    typeof saved === "object" &&
    saved !== null &&
    "steps" in saved &&
    saved.steps === result.steps &&
    "interrupted" in saved &&
    saved.interrupted === result.interrupted;
  const pictures = [runFiles.chart, ...(measurements.length === 0 ? [] : [runFiles.oracle])];
  return isCurrent && pictures.every((name) => folder.has(name));
}

async function drawPictures(
  folder: RunFolder,
  config: ReportedConfig,
  title: string,
  { curve, measurements, evaluations }: RunOutcome,
): Promise<void> {
  await writeChart(folder, config, [{ name: title, ...curve }], evaluations);
  if (measurements.length === 0) return;
  const { oracleSvg } = await import("../figures/chart.js");
  const text = { title: `${title} on ${environmentTitle(config)}`, subtitle: subtitle(config) };
  folder.write(runFiles.oracle, oracleSvg(measurements, text));
}

/** What `work` throws, null where it does not. */
export async function errorOf(work: () => void | Promise<void>): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/**
 * Draws the curves of a run, or of several with the same settings.
 * @param evaluations those of a single run
 */
export async function writeChart(
  folder: RunFolder,
  config: ReportedConfig,
  curves: readonly NamedCurve[],
  evaluations: readonly EvaluationPoint[] = [],
): Promise<void> {
  // Loaded when there is something to draw: it takes longer than all the rest of the command.
  const { learningCurveSvg } = await import("../figures/chart.js");
  const text = { title: environmentTitle(config), subtitle: subtitle(config) };
  folder.write(runFiles.chart, learningCurveSvg(curves, text, evaluations));
}

/** The settings of a run that its chart names, where the algorithm has them. */
function subtitle({ run, environment, algorithm }: ReportedConfig): string {
  const symbols = [
    ["n", algorithm.horizon ?? (algorithm.backup === "munchausen" ? 1 : algorithm.returnSteps)],
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
export const readsTau = ({ backup, behaviour }: { readonly [setting: string]: unknown }): boolean =>
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
