import { largest, smallest } from "softrl";
import { FEW_SEEDS, type Statistic } from "../runs/run-statistics.js";
import type { PlotKind } from "./plot-kind.js";
import type { PlottedRun } from "./plotted-run.js";

/** `Mean of 10 seeds with 95 % bootstrap intervals`; it says which intervals are missing, or too narrow. */
export function noteOf(runs: readonly PlottedRun[], kind: PlotKind, statistic: Statistic): string {
  const counts = new Map<string, number>();
  for (const { variant, environment, curve, score } of runs) {
    if ((kind === "curves" ? curve : score) === null) continue;
    const key = JSON.stringify([variant, environment]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [least, most] = [smallest([...counts.values()]), largest([...counts.values()])];
  const seeds = `${least === most ? "" : `${least} to `}${most} seed${most === 1 ? "" : "s"}`;
  const isFew = [...counts.values()].some((count) => 1 < count && count < FEW_SEEDS);
  const reliability = isFew ? `, which are too narrow for fewer than ${FEW_SEEDS} seeds` : "";
  const missing = least > 1 ? "" : "; a variant with one run on an environment has none";
  if (kind === "profile" || kind === "aggregates") {
    if (most === 1) return "One seed on each environment; one run has no interval";
    return `${seeds} on each environment, with 95 % stratified bootstrap intervals${reliability}${missing}`;
  }
  const what = statistic === "mean" ? "Mean" : "Interquartile mean";
  const intervals =
    most === 1 ? "One seed" : `${what} of ${seeds} with 95 % bootstrap intervals${reliability}${missing}`;
  if (kind === "curves") return `${intervals}; returns are of the last 100 training episodes`;
  return most === 1 ? intervals : `${intervals}; dots are runs`;
}

/** `; left out, without a score on every environment: "A2C"`; empty where no variant is. */
export const leftOutInWords = (names: readonly string[]): string =>
  names.length === 0
    ? ""
    : `; left out, without a score on every environment: ${names.map((name) => JSON.stringify(name)).join(", ")}`;
