import { largest, normalisedScore, type RandomStreams, SoftrlError, smallest } from "softrl";
import type { Panel, PaperFigure, Theme } from "../figures/paper-figure.js";
import { stepLabel } from "../figures/step-label.js";
import { bootstrapStreams, distinct } from "../runs/run-statistics.js";
import { curveAcrossSeeds, profileAcrossTasks, type Statistic, scoreInterval } from "./across-seeds.js";
import type { PlottedRun } from "./plotted-run.js";
import { hasHumanScale, scoreScale } from "./score-scale.js";

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

/** The figure of runs: a panel for each environment, a line or a bar for each variant; a profile is one panel. */
export function runFigure(runs: readonly PlottedRun[], options: PlotOptions): PaperFigure {
  const { kind, width, theme } = options;
  const names = distinct(runs.map(({ variant }) => variant));
  const panels = panelsOf(runs, names, options);
  const isEmpty = panels.every((panel) => (panel.kind === "bars" ? panel.bars : panel.series).length === 0);
  if (isEmpty) refuseEmpty(kind);
  const shared = { width, theme, names, panels };
  const note = noteOf(runs, options);
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
  const isHuman = distinct(runs.map(({ environment }) => environment)).every(hasHumanScale);
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

function profilePanel(
  runs: readonly PlottedRun[],
  names: readonly string[],
  environments: readonly string[],
  streams: RandomStreams,
): Panel {
  const scales = environments.map((id) =>
    scoreScale(id, scoresOf(runs.filter(({ environment }) => environment === id))),
  );
  const tasksOf = (name: string) =>
    environments.flatMap((id, i) => {
      const own = runs.filter(({ variant, environment }) => variant === name && environment === id);
      const scores = scoresOf(own).map((score) => normalisedScore(score, scales[i]));
      return scores.length === 0 ? [] : [scores];
    });
  const all = names.flatMap(tasksOf).flat();
  const [low, high] = [Math.min(0, smallest(all)), Math.max(1, largest(all))];
  const thresholds = Array.from(
    { length: THRESHOLDS },
    (_, i) => low + (i / (THRESHOLDS - 1)) * (high - low),
  );
  const series = names.flatMap((name) => {
    const tasks = tasksOf(name);
    if (tasks.length === 0) return [];
    return [{ name, points: profileAcrossTasks(tasks, thresholds, streams.stream("profile", name)) }];
  });
  return { kind: "lines", title: "", series };
}

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
  if (kind === "profile") return `${seeds} on each environment, with 95 % stratified bootstrap intervals`;
  if (most === 1)
    return `One seed${kind === "curves" ? "; returns are of the last 100 training episodes" : ""}`;
  const what = statistic === "mean" ? "Mean" : "Interquartile mean";
  const intervals = `${what} of ${seeds} with 95 % bootstrap intervals`;
  return kind === "curves"
    ? `${intervals}; returns are of the last 100 training episodes`
    : `${intervals}; dots are runs`;
}
