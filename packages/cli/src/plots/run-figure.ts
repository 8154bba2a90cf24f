import { largest, SoftrlError, smallest } from "softrl";
import type { Panel, PaperFigure, Theme } from "../figures/paper-figure.js";
import { stepLabel } from "../figures/step-label.js";
import { bootstrapStreams, distinct, type Statistic } from "../runs/run-statistics.js";
import {
  aggregateBars,
  aggregates,
  comparedRuns,
  type NormalisedScores,
  normalisedScores,
} from "./across-environments.js";
import { curveAcrossSeeds, profileAcrossTasks, scoreInterval } from "./across-seeds.js";
import { leftOutInWords, noteOf } from "./figure-note.js";
import type { PlotKind } from "./plot-kind.js";
import type { PlottedRun } from "./plotted-run.js";

export interface PlotOptions {
  readonly kind: PlotKind;
  readonly statistic: Statistic;
  /** Millimetres. */
  readonly width: number;
  readonly theme: Theme;
  /** The order of the panels; environments that it lacks follow, in the order of the runs. */
  readonly environments?: readonly string[];
}

const THRESHOLDS = 61;

export interface RunFigure extends PaperFigure {
  /** The variants that a profile or aggregates cannot compare: those without a score on every environment. */
  readonly leftOut: readonly string[];
}

/**
 * The figure of runs: a panel for each environment, a line or a bar for each variant; a profile is one panel, and
 * aggregates have one for each metric.
 * @throws SoftrlError where there is nothing to draw, or no variant has what a profile or aggregates compare.
 */
export function runFigure(given: readonly PlottedRun[], options: PlotOptions): RunFigure {
  const { kind, width, theme, statistic } = options;
  if (!given.some((run) => (kind === "curves" ? run.curve?.steps.length : run.score !== null))) {
    refuseEmpty(kind);
  }
  const isCompared = kind === "profile" || kind === "aggregates";
  const { runs, leftOut } = isCompared ? comparedRuns(given) : { runs: given, leftOut: [] };
  const names = distinct(runs.map(({ variant }) => variant));
  const own = distinct(runs.map(({ environment }) => environment));
  const environments = distinct([...(options.environments ?? []), ...own]).filter((id) => own.includes(id));
  const note = noteOf(runs, kind, statistic) + leftOutInWords(leftOut);
  const shared = { width, theme, names, leftOut, note, xFormat: String };
  if (kind === "curves") {
    return {
      ...shared,
      panels: environments.map((id) => curvesPanel(runs, names, id, statistic)),
      xLabel: "environment steps",
      yLabel: "mean return",
      xFormat: stepLabel,
      xFrom: 0,
    };
  }
  if (kind === "bars") {
    const panels = environments.map((id) => barsPanel(runs, names, id, statistic));
    return { ...shared, panels, xLabel: "mean return of the last 100 training episodes", yLabel: "" };
  }
  const { scale, variants } = normalisedScores(runs, environments);
  const [scaleName, ends] =
    scale === "human"
      ? ["human-normalised score", ""]
      : ["normalised score", "; 0 is the lowest run of each environment, 1 the highest"];
  if (kind === "profile") {
    return {
      ...shared,
      panels: [profilePanel(variants)],
      xLabel: `threshold of the ${scaleName}`,
      yLabel: "share of runs above the threshold",
      note: note + ends,
    };
  }
  const panels = aggregates.map(
    ([title, metric]): Panel => ({ kind: "bars", title, bars: aggregateBars(variants, metric) }),
  );
  return {
    ...shared,
    panels,
    xLabel: scaleName,
    yLabel: "",
    note: `${note}${ends}; a smaller gap is better`,
  };
}

function curvesPanel(
  runs: readonly PlottedRun[],
  names: readonly string[],
  title: string,
  statistic: Statistic,
): Panel {
  const streams = bootstrapStreams();
  const series = names.flatMap((name) => {
    const curves = runsOf(runs, name, title).flatMap(({ curve }) =>
      curve === null || curve.steps.length === 0 ? [] : [curve],
    );
    if (curves.length === 0) return [];
    const points = curveAcrossSeeds(curves, statistic, streams.stream("curves", title, name));
    if (points.length === 0) refuseApart(name, title);
    return [{ name, points }];
  });
  return { kind: "lines", title, series };
}

/** Its intervals are those of the tables: with the same stream, and as many resamples. */
function barsPanel(
  runs: readonly PlottedRun[],
  names: readonly string[],
  title: string,
  statistic: Statistic,
): Panel {
  const streams = bootstrapStreams();
  const bars = names.flatMap((name) => {
    const scores = runsOf(runs, name, title).flatMap(({ score }) => (score === null ? [] : [score]));
    if (scores.length === 0) return [];
    return [{ name, scores, ...scoreInterval(scores, statistic, streams.stream(name, title)) }];
  });
  return { kind: "bars", title, bars };
}

function profilePanel(variants: readonly NormalisedScores[]): Panel {
  const streams = bootstrapStreams();
  const all = variants.flatMap(({ tasks }) => tasks.flatMap((scores) => Array.from(scores)));
  const [low, high] = [Math.min(0, smallest(all)), Math.max(1, largest(all))];
  const thresholds = Array.from(
    { length: THRESHOLDS },
    (_, i) => low + (i / (THRESHOLDS - 1)) * (high - low),
  );
  const series = variants.map(({ name, tasks }) => ({
    name,
    points: profileAcrossTasks(tasks, thresholds, () => streams.stream("profile", name)),
  }));
  return { kind: "lines", title: "", series };
}

const runsOf = (runs: readonly PlottedRun[], name: string, id: string): readonly PlottedRun[] =>
  runs.filter(({ variant, environment }) => variant === name && environment === id);

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
