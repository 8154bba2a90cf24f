import { existsSync } from "node:fs";
import { join } from "node:path";
import { isRecord, SoftrlError } from "softrl";
import { readRegular } from "../files/regular-file.js";
import { readEvents } from "../runs/event-file.js";
import { DRAWABLE, isDrawable } from "../runs/return-range.js";
import { runFiles } from "../runs/run-folder.js";
import type { CurvePoint, SweepResult } from "./results-file.js";
import type { SweepCell } from "./sweep-plan.js";

/** What the folder of a finished run holds of a {@link SweepResult}. */
export type RunOutcome = Omit<SweepResult, keyof SweepCell | "version" | "key">;

/** The parts of a run after which its curve has a point. */
const POINTS = 20;
const MOST_BYTES = 2 ** 24;

/**
 * The outcome of the run in a folder; null where it has not ended.
 * @throws SoftrlError for a run in which no episode ended: it has no mean return; and for a mean return that the tables
 *   cannot hold.
 */
export function outcomeIn(folder: string): RunOutcome | null {
  const result = savedResult(folder);
  if (result === null || result.interrupted !== false) return null;
  const { meanReturn, episodes, steps, stepsPerSecond, executor, instructionSet, host } = result;
  if (meanReturn === null) {
    throw new SoftrlError(folder, "no episode ended, so that the run has no mean return", {
      remedy: "train more steps",
    });
  }
  const numbers = [meanReturn, episodes, steps, stepsPerSecond].every(Number.isFinite);
  if (!numbers || typeof executor !== "string") return null;
  const curve = curveIn(folder, Number(steps));
  const strange = [Number(meanReturn), ...curve.map((point) => point.meanReturn)].find((x) => !isDrawable(x));
  if (strange !== undefined) {
    throw new SoftrlError(folder, "a mean return is too large or too small for the table of results", {
      expected: DRAWABLE,
      got: String(strange),
      remedy: "scale the rewards of the environment",
    });
  }
  const cpu = isRecord(host) && typeof host.cpu === "string" ? host.cpu : "";
  return {
    meanReturn: rounded(Number(meanReturn)),
    episodes: Number(episodes),
    steps: Number(steps),
    executor: typeof instructionSet === "string" ? `${executor} ${instructionSet}` : executor,
    curve,
    time: { stepsPerSecond: Math.round(Number(stepsPerSecond)), cpu },
  };
}

function savedResult(folder: string): Readonly<Record<string, unknown>> | null {
  const path = join(folder, runFiles.result);
  if (!existsSync(path)) return null;
  try {
    const result: unknown = JSON.parse(readRegular(path, MOST_BYTES).toString("utf8"));
    return isRecord(result) ? result : null;
  } catch {
    // A damaged result is written again from the checkpoint.
    return null;
  }
}

/** The first update after each twentieth of the run. */
function curveIn(folder: string, steps: number): readonly CurvePoint[] {
  const points: CurvePoint[] = [];
  let passed = 0;
  readEvents(join(folder, runFiles.events), ({ event, step, meanReturn }) => {
    if (event !== "update" || typeof step !== "number") return;
    const now = Math.floor((step * POINTS) / steps + 1e-9);
    if (now <= passed) return;
    passed = now;
    if (typeof meanReturn === "number") points.push({ step, meanReturn: rounded(meanReturn) });
  });
  return points;
}

const rounded = (x: number): number => Number(x.toPrecision(6));
