import {
  interquartileMean,
  normalisedScore,
  oneLine,
  optimalityGap,
  SoftrlError,
  type TaskScores,
} from "softrl";
import { bootstrapStreams, distinct, estimateOf, meanOf, statistics } from "../runs/run-statistics.js";
import { shown } from "./across-seeds.js";
import type { PlottedRun } from "./plotted-run.js";
import { type SharedScale, sharedScale } from "./score-scale.js";

/** Runs of variants that have a score on every environment, and the names of those that do not. */
export interface ComparedRuns {
  readonly runs: readonly PlottedRun[];
  readonly leftOut: readonly string[];
}

/**
 * The runs with a score of the variants that have one on every environment: what is a mean over environments compares
 * these alone.
 * @throws SoftrlError where no variant has a score on every environment.
 */
export function comparedRuns(runs: readonly PlottedRun[]): ComparedRuns {
  const scored = runs.filter(({ score }) => score !== null);
  const environments = distinct(runs.map(({ environment }) => environment));
  const missing = new Map(
    distinct(runs.map(({ variant }) => variant)).map((name) => {
      const own = new Set(
        scored.flatMap(({ variant, environment }) => (variant === name ? [environment] : [])),
      );
      return [name, environments.filter((environment) => !own.has(environment))] as const;
    }),
  );
  const leftOut = [...missing].filter(([, { length }]) => length > 0);
  if (scored.length > 0 && leftOut.length === missing.size) {
    const got = leftOut.map(([name, lacking]) => `${JSON.stringify(name)} without ${lacking.join(", ")}`);
    throw new SoftrlError("plot", "no variant has a score on every environment", {
      got: oneLine(got.join("; "), 500),
      remedy: "choose variants of the same environments with --variant",
    });
  }
  return {
    runs: scored.filter(({ variant }) => missing.get(variant)?.length === 0),
    leftOut: leftOut.map(([name]) => name),
  };
}

/** The scores of a variant's runs by environment, on one scale. */
export interface NormalisedScores {
  readonly name: string;
  readonly tasks: TaskScores;
}

/** Normalised scores of each variant, and what 0 and 1 are of them. @param runs compared ones */
export function normalisedScores(
  runs: readonly PlottedRun[],
  environments: readonly string[],
): { readonly scale: SharedScale["kind"]; readonly variants: readonly NormalisedScores[] } {
  const scoresOn = (id: string, own: readonly PlottedRun[]) =>
    own.flatMap(({ environment, score }) => (environment === id && score !== null ? [score] : []));
  const { kind, scales } = sharedScale(environments, (id) => scoresOn(id, runs));
  const variants = distinct(runs.map(({ variant }) => variant)).map((name) => {
    const own = runs.filter(({ variant }) => variant === name);
    const tasks = environments.map((id, i) =>
      scoresOn(id, own).map((score) => normalisedScore(score, scales[i])),
    );
    return { name, tasks };
  });
  return { scale: kind, variants };
}

/** The aggregate metrics of normalised scores, as Agarwal et al. (2021) define them, by their titles. */
export const aggregates: readonly (readonly [title: string, statistic: (tasks: TaskScores) => number])[] = [
  ["median", (tasks) => medianOf(tasks.map(meanOf))],
  ["IQM", interquartileMean],
  ["mean", statistics.mean],
  ["optimality gap", (tasks) => optimalityGap(tasks)],
];

/**
 * Each variant's aggregate metric with the 95 % interval of its stratified bootstrap. The resamples are those of a
 * report's scores over all environments.
 */
export function aggregateBars(
  variants: readonly NormalisedScores[],
  statistic: (tasks: TaskScores) => number,
) {
  const streams = bootstrapStreams();
  return variants.map(({ name, tasks }) => ({
    name,
    scores: [],
    ...shown(estimateOf(tasks, statistic, streams.stream("overall", name))),
  }));
}

function medianOf(numbers: readonly number[]): number {
  const ascending = Float64Array.from(numbers).sort();
  const middle = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2;
}
