import {
  normalisedScore,
  probabilityOfImprovement,
  type Random,
  type RandomStreams,
  type TaskScores,
} from "softrl";
import { type SharedScale, sharedScale } from "../plots/score-scale.js";
import { bootstrapStreams, distinct, type Estimate, estimateOf, statistics } from "../runs/run-statistics.js";
import { groupNameOf, type ReportSource } from "./report-model.js";

/** The scores of a variant on an environment, or on all. */
export interface VariantScore {
  readonly variant: string;
  /** Runs with a score, and runs that there should be. */
  readonly runs: number;
  readonly planned: number;
  /** Null without runs. */
  readonly mean: Estimate | null;
  readonly interquartileMean: Estimate | null;
}

export interface EnvironmentScores {
  readonly environment: string;
  readonly variants: readonly VariantScore[];
  readonly published: readonly { readonly source: string; readonly score: number }[];
}

/** How likely a run of one variant scores higher than one of another, a tie counting half. */
export interface Improvement {
  readonly variant: string;
  readonly other: string;
  readonly environments: readonly { readonly environment: string; readonly probability: Estimate }[];
  /** The mean over environments; null for a single one. */
  readonly overall: Estimate | null;
}

export interface ReportStatistics {
  readonly environments: readonly EnvironmentScores[];
  /** Of normalised scores, for variants with runs on all environments; empty where there is one environment. */
  readonly overall: readonly VariantScore[];
  /** What 0 and 1 are of normalised scores. */
  readonly scale: SharedScale["kind"];
  /** Whether a variant of `overall` has more runs on one environment than on another. */
  readonly hasUnequalRuns: boolean;
  readonly improvements: readonly Improvement[];
}

/** Fewer than for scores: a probability compares all pairs of runs in each. */
const IMPROVEMENT_RESAMPLES = 2000;

/** The statistics of a report: scores by environment, over all of them, and of each pair of variants. */
export function reportStatistics(source: ReportSource): ReportStatistics {
  const environments = distinct(source.planned.map(({ environment }) => environment));
  const variants = distinct(source.planned.map(({ variant }) => variant));
  const scores = scoresByGroup(source);
  const scoresOf = (variant: string, environment: string) =>
    scores.get(groupNameOf(variant, environment)) ?? [];
  const all = (environment: string) => variants.flatMap((variant) => scoresOf(variant, environment));
  const scale = sharedScale(environments, all);
  const normalised = (variant: string) =>
    environments.map((environment, i) =>
      scoresOf(variant, environment).map((score) => normalisedScore(score, scale.scales[i])),
    );
  const plannedOf = (variant: string, environment: string) =>
    source.planned.find((group) => group.variant === variant && group.environment === environment)?.seeds ??
    0;
  const compared = variants
    .map((variant) => ({ variant, tasks: normalised(variant) }))
    .filter(({ tasks }) => environments.length > 1 && tasks.every(({ length }) => length > 0));
  const streams = bootstrapStreams();
  return {
    environments: environments.map((environment) => ({
      environment,
      variants: variants
        .filter((variant) => plannedOf(variant, environment) > 0)
        .map((variant) =>
          variantScore(variant, [scoresOf(variant, environment)], plannedOf(variant, environment), () =>
            streams.stream(variant, environment),
          ),
        ),
      published: Object.entries(source.published).flatMap(([name, own]) =>
        Object.hasOwn(own, environment) ? [{ source: name, score: own[environment] }] : [],
      ),
    })),
    overall: compared.map(({ variant, tasks }) => {
      const planned = sum(environments.map((environment) => plannedOf(variant, environment)));
      return variantScore(variant, tasks, planned, () => streams.stream("overall", variant));
    }),
    scale: scale.kind,
    hasUnequalRuns: compared.some(({ tasks }) => tasks.some(({ length }) => length !== tasks[0].length)),
    improvements: variants.flatMap((variant, i) =>
      variants.slice(i + 1).flatMap((other) => {
        const shared = environments.filter(
          (environment) =>
            scoresOf(variant, environment).length > 0 && scoresOf(other, environment).length > 0,
        );
        return shared.length === 0 ? [] : [improvement(variant, other, shared, scoresOf, streams)];
      }),
    ),
  };
}

function scoresByGroup({ runs }: ReportSource): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const { variant, environment, score } of runs) {
    if (score === null) continue;
    const key = groupNameOf(variant, environment);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(score);
  }
  return groups;
}

function variantScore(
  variant: string,
  tasks: readonly (readonly number[])[],
  planned: number,
  random: () => Random,
): VariantScore {
  const runs = sum(tasks.map(({ length }) => length));
  if (runs === 0) return { variant, runs, planned, mean: null, interquartileMean: null };
  return {
    variant,
    runs,
    planned,
    mean: estimateOf(tasks, statistics.mean, random()),
    interquartileMean: estimateOf(tasks, statistics.iqm, random()),
  };
}

function improvement(
  variant: string,
  other: string,
  environments: readonly string[],
  scoresOf: (variant: string, environment: string) => readonly number[],
  streams: RandomStreams,
): Improvement {
  const of = (some: readonly string[], random: Random): Estimate => {
    const [x, y] = [variant, other].map((name) => some.map((environment) => scoresOf(name, environment)));
    const probability = (drawn: TaskScores) =>
      probabilityOfImprovement(drawn.slice(0, some.length), drawn.slice(some.length));
    return estimateOf([...x, ...y], probability, random, IMPROVEMENT_RESAMPLES);
  };
  return {
    variant,
    other,
    environments: environments.map((environment) => ({
      environment,
      probability: of([environment], streams.stream("improvement", variant, other, environment)),
    })),
    overall: environments.length < 2 ? null : of(environments, streams.stream("improvement", variant, other)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);
