import { largest, normalisedScore, oneLine, type RandomStreams, SoftrlError, smallest } from "softrl";
import type { Panel, PaperFigure, Theme } from "../figures/paper-figure.js";
import { stepLabel } from "../figures/step-label.js";
import { bootstrapStreams, distinct } from "../runs/run-statistics.js";
import { curveAcrossSeeds, profileAcrossTasks, type Statistic, scoreInterval } from "./across-seeds.js";
import type { PlottedRun } from "./plotted-run.js";
import { type SharedScale, sharedScale } from "./score-scale.js";

/** What a figure of runs shows. */
export const plotKinds = ["curves", "bars", "profile"] as const;
export type PlotKind = (typeof plotKinds)[number];

export interface PlotOptions {
  readonly kind: PlotKind;
  readonly statistic: Statistic;
  /** Millimetres. */
  readonly width: number;
  readonly theme: Theme;
}

const THRESHOLDS = 61;

export interface RunFigure extends PaperFigure {
  /** The variants that a profile cannot compare: those without a score on every environment. */
  readonly leftOut: readonly string[];
}

/**
 * The figure of runs: a panel for each environment, a line or a bar for each variant; a profile is one panel.
 * @throws SoftrlError where there is nothing to draw, or no variant has what a profile compares.
 */
export function runFigure(given: readonly PlottedRun[], options: PlotOptions): RunFigure {
  const { kind, width, theme } = options;
  const { runs, leftOut } = kind === "profile" ? comparedRuns(given) : { runs: given, leftOut: [] };
  const names = distinct(runs.map(({ variant }) => variant));
  const panels = panelsOf(runs, names, options);
  const isEmpty = panels.every((panel) => (panel.kind === "bars" ? panel.bars : panel.series).length === 0);
  if (isEmpty) refuseEmpty(kind);
  const shared = { width, theme, names, panels, leftOut };
  const note = noteOf(runs, options) + leftOutInWords(leftOut);
  const score = "mean return of the last 100 training episodes";
  if (kind === "curves") {
    return {
      ...shared,
      xLabel: "environment steps",
      yLabel: "mean return",
      xFormat: stepLabel,
      xFrom: 0,
      note,
    };
  }
  if (kind === "bars") return { ...shared, xLabel: score, yLabel: "", xFormat: String, note };
  const isHuman = scaleOf(runs).kind === "human";
  return {
    ...shared,
    xLabel: `${isHuman ? "human-normalised" : "normalised"} score τ`,
    yLabel: "share of runs with a score above τ",
    xFormat: String,
    note: isHuman ? note : `${note}; 0 is the lowest run of each environment, 1 the highest`,
  };
}

function panelsOf(
  runs: readonly PlottedRun[],
  names: readonly string[],
  { kind, statistic }: PlotOptions,
): readonly Panel[] {
  const streams = bootstrapStreams();
  const environments = distinct(runs.map(({ environment }) => environment));
  if (kind === "profile") return [profilePanel(runs, names, environments, streams)];
  return environments.map((title): Panel => {
    const of = (name: string) =>
      runs.filter(({ variant, environment }) => variant === name && environment === title);
    if (kind === "curves") {
      const series = names.flatMap((name) => {
        const curves = of(name).flatMap(({ curve }) =>
          curve === null || curve.steps.length === 0 ? [] : [curve],
        );
        if (curves.length === 0) return [];
        const points = curveAcrossSeeds(curves, statistic, streams.stream(kind, title, name));
        if (points.length === 0) refuseApart(name, title);
        return [{ name, points }];
      });
      return { kind: "lines", title, series };
    }
    const bars = names.flatMap((name) => {
      const scores = scoresOf(of(name));
      if (scores.length === 0) return [];
      return [{ name, scores, ...scoreInterval(scores, statistic, streams.stream(kind, title, name)) }];
    });
    return { kind: "bars", title, bars };
  });
}

function refuseEmpty(kind: PlotKind): never {
  throw new SoftrlError("plot", `none of the runs has ${kind === "curves" ? "a curve" : "a score"}`, {
    expected: kind === "curves" ? "run folders, or a table with a column step" : "a run with a whole episode",
  });
}

function refuseApart(variant: string, environment: string): never {
  throw new SoftrlError("plot", `the curves of ${variant} on ${environment} have no steps in common`, {
    expected: "runs of about the same length",
    remedy: "leave out the short ones",
  });
}

/** The runs with a score of the variants that have one on every environment: a profile is a mean over environments. */
function comparedRuns(
  runs: readonly PlottedRun[],
): Pick<RunFigure, "leftOut"> & { runs: readonly PlottedRun[] } {
  const scored = runs.filter(({ score }) => score !== null);
  if (scored.length === 0) refuseEmpty("profile");
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
  if (leftOut.length === missing.size) {
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

/** `; left out, without a score on every environment: "A2C"`; empty where no variant is. */
export const leftOutInWords = (names: readonly string[]): string =>
  names.length === 0
    ? ""
    : `; left out, without a score on every environment: ${names.map((name) => JSON.stringify(name)).join(", ")}`;

/** @param runs compared ones: each variant has a score on every environment */
function profilePanel(
  runs: readonly PlottedRun[],
  names: readonly string[],
  environments: readonly string[],
  streams: RandomStreams,
): Panel {
  const { scales } = scaleOf(runs);
  const tasksOf = (name: string) =>
    environments.map((id, i) => {
      const own = runs.filter(({ variant, environment }) => variant === name && environment === id);
      return scoresOf(own).map((score) => normalisedScore(score, scales[i]));
    });
  const all = names.flatMap(tasksOf).flat();
  const [low, high] = [Math.min(0, smallest(all)), Math.max(1, largest(all))];
  const thresholds = Array.from(
    { length: THRESHOLDS },
    (_, i) => low + (i / (THRESHOLDS - 1)) * (high - low),
  );
  const series = names.map((name) => ({
    name,
    points: profileAcrossTasks(tasksOf(name), thresholds, streams.stream("profile", name)),
  }));
  return { kind: "lines", title: "", series };
}

const scaleOf = (runs: readonly PlottedRun[]): SharedScale =>
  sharedScale(distinct(runs.map(({ environment }) => environment)), (id) =>
    scoresOf(runs.filter(({ environment }) => environment === id)),
  );

const scoresOf = (runs: readonly PlottedRun[]): readonly number[] =>
  runs.flatMap(({ score }) => (score === null ? [] : [score]));

/** `Mean of 10 seeds with 95 % bootstrap intervals`, without intervals where there is one seed. */
function noteOf(runs: readonly PlottedRun[], { kind, statistic }: PlotOptions): string {
  const counts = new Map<string, number>();
  for (const { variant, environment } of runs) {
    const key = JSON.stringify([variant, environment]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [least, most] = [smallest([...counts.values()]), largest([...counts.values()])];
  const seeds = `${least === most ? "" : `${least} to `}${most} seed${most === 1 ? "" : "s"}`;
  if (kind === "profile") {
    if (most === 1) return "One seed on each environment; one run has no interval";
    const intervals = `${seeds} on each environment, with 95 % stratified bootstrap intervals`;
    return least > 1 ? intervals : `${intervals}; a variant with one run on an environment has none`;
  }
  if (most === 1)
    return `One seed${kind === "curves" ? "; returns are of the last 100 training episodes" : ""}`;
  const what = statistic === "mean" ? "Mean" : "Interquartile mean";
  const intervals = `${what} of ${seeds} with 95 % bootstrap intervals`;
  return kind === "curves"
    ? `${intervals}; returns are of the last 100 training episodes`
    : `${intervals}; dots are runs`;
}
