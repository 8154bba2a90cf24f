import { isRecord } from "softrl";
import type { RunOutcome } from "../sweeps/finished-run.js";
import type { CurvePoint, RunTime } from "../sweeps/results-file.js";

const MOST_POINTS = 1000;

/** What a worker returned of a run, checked; null for anything else, since others may write to the queue. */
export function checkOutcome(value: unknown): RunOutcome | null {
  if (!isRecord(value)) return null;
  const { meanReturn, episodes, steps, executor, curve, time } = value;
  if (!isNumber(meanReturn) || !isNumber(episodes) || !isNumber(steps) || !isLine(executor)) return null;
  if (!Array.isArray(curve) || curve.length > MOST_POINTS || !curve.every(isPoint)) return null;
  if (time !== null && !isTime(time)) return null;
  return {
    meanReturn,
    episodes,
    steps,
    executor,
    curve: curve.map(({ step, meanReturn }) => ({ step, meanReturn })),
    time: time === null ? null : { stepsPerSecond: time.stepsPerSecond, cpu: time.cpu },
  };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const isLine = (value: unknown): value is string =>
  typeof value === "string" && value.length <= 300 && !/\p{Cc}/u.test(value);

const isPoint = (value: unknown): value is CurvePoint =>
  isRecord(value) && isNumber(value.step) && isNumber(value.meanReturn);

const isTime = (value: unknown): value is RunTime =>
  isRecord(value) && isNumber(value.stepsPerSecond) && isLine(value.cpu);
