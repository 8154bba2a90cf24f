import { type EvaluationPoint, largest, type OracleMeasurement } from "softrl";
import type { NamedCurve } from "./curve.js";
import { type FigureSeries, figureSvg } from "./figure.js";
import { oracleCurves } from "./oracle-report.js";
import { stepLabel } from "./step-label.js";

/** What a chart says beside its curves. */
export interface ChartText {
  readonly title: string;
  readonly subtitle: string;
}

const TRAINING = "mean return of the last 100 training episodes";

const steps = { label: "environment steps", scale: "linear", format: stepLabel } as const;

/**
 * Learning curves as one SVG file: mean return against environment steps.
 * The same curves and texts give the same bytes.
 * @param evaluations those of a single run, drawn beside its curve
 */
export function learningCurveSvg(
  curves: readonly NamedCurve[],
  text: ChartText,
  evaluations: readonly EvaluationPoint[] = [],
): string {
  const all = [...curves.flatMap((curve) => curve.steps), ...evaluations.map(({ step }) => step)];
  const lastStep = Math.max(1, largest(all));
  const evaluated = evaluations.length > 0;
  return figureSvg({
    ...text,
    // The axes do not shrink around a short run.
    x: { ...steps, reaches: [0, lastStep] },
    y: { label: evaluated ? "mean return" : TRAINING, scale: "linear", reaches: [0, 1] },
    series: [
      ...curves.map(({ name, steps, meanReturns }) => ({
        name: evaluated ? `${name}, training: last 100 episodes` : name,
        kind: "line" as const,
        points: steps.map((step, i) => [step, meanReturns[i]] as const),
      })),
      ...(evaluated ? [evaluationSeries(evaluations)] : []),
    ],
  });
}

/** The mean returns of evaluations, within one standard error of the mean: s / √n. */
function evaluationSeries(evaluations: readonly EvaluationPoint[]): FigureSeries {
  const [{ episodes }] = evaluations;
  const played = `evaluation: ${episodes} episode${episodes === 1 ? "" : "s"}`;
  return {
    name: episodes === 1 ? played : `${played}, ± 1 standard error`,
    kind: "line-and-dots",
    points: evaluations.map(({ step, meanReturn }) => [step, meanReturn] as const),
    errors: evaluations.map(({ standardDeviation, episodes: n }) => (standardDeviation ?? 0) / Math.sqrt(n)),
  };
}

/** The oracle's answers as one SVG file: errors on a logarithmic scale against environment steps. */
export function oracleSvg(measurements: readonly OracleMeasurement[], text: ChartText): string {
  return figureSvg({
    ...text,
    x: steps,
    y: { label: "error, logarithmic", scale: "log" },
    series: oracleCurves.map(({ figure, name }) => ({
      name,
      kind: "line",
      // Rounding may leave nothing, or less: no place for it on this scale.
      points: measurements
        .map(({ step, figures }) => [step, figures[figure]] as const)
        .filter(([, error]) => error > 0),
    })),
  });
}
