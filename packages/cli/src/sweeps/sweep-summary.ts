import { type Interval, interquartileMean, largest, sampleStandardDeviation } from "softrl";
import { bootstrapStreams, estimateOf, statistics } from "../runs/run-statistics.js";
import { inShort, tableWithNotes } from "../terminal/terminal.js";
import { nameOfCell, type SweepResult } from "./results-file.js";
import type { SweepCell } from "./sweep-plan.js";

/** The seeds of a variant on an environment: the mean return of the last 100 episodes across them. */
export interface SweepScore {
  readonly variant: string;
  readonly environment: string;
  /** Runs with a result, and runs that the definition has. */
  readonly runs: number;
  readonly planned: number;
  /** Null where there is no run. */
  readonly mean: number | null;
  /** Null for fewer than two runs. */
  readonly standardDeviation: number | null;
  readonly interquartileMean: number | null;
  /** The 95 % bootstrap interval of the mean; null for fewer than two runs. */
  readonly interval: Omit<Interval, "estimate"> | null;
}

/** The scores of a sweep, in the order of its definition. */
export function sweepScores(
  cells: readonly SweepCell[],
  results: ReadonlyMap<string, SweepResult>,
): readonly SweepScore[] {
  const streams = bootstrapStreams();
  const groups = new Map<string, SweepCell[]>();
  for (const cell of cells) {
    const name = JSON.stringify([cell.variant, cell.environment]);
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  return [...groups.values()].map((group) => {
    const [{ variant, environment }] = group;
    const scores = group.flatMap((cell) => results.get(nameOfCell(cell))?.meanReturn ?? []);
    const several = scores.length > 1;
    const random = streams.stream(variant, environment);
    const mean = scores.length === 0 ? null : estimateOf([scores], statistics.mean, random);
    return {
      variant,
      environment,
      runs: scores.length,
      planned: group.length,
      mean: mean?.estimate ?? null,
      standardDeviation: several ? sampleStandardDeviation(scores) : null,
      interquartileMean: scores.length === 0 ? null : interquartileMean([scores]),
      interval: mean?.interval ?? null,
    };
  });
}

/** A table of scores: a row of numbers, and below it what they are of. */
export function scoreTable(scores: readonly SweepScore[], columns: number): string {
  const header = ["mean return", "IQM", "95 % interval", "runs"];
  const rows = scores.map(({ mean, standardDeviation, interquartileMean: iqm, interval, runs, planned }) => [
    standardDeviation === null ? inShort(mean) : `${inShort(mean)} ± ${inShort(standardDeviation)}`,
    inShort(iqm),
    interval === null ? "–" : `[${inShort(interval.low)}, ${inShort(interval.high)}]`,
    runs === planned ? String(runs) : `${runs} of ${planned}`,
  ]);
  const environments = new Set(scores.map(({ environment }) => environment));
  const isOne = environments.size === 1 && largest(scores.map(({ variant }) => variant.length)) > 30;
  const notes = scores.map(({ variant, environment }) => (isOne ? variant : `${variant}, ${environment}`));
  return tableWithNotes(header, rows, ["variant and environment", ...notes], columns);
}
