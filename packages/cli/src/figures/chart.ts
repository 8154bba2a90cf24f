import { largest, type OracleMeasurement } from "softrl";
import type { NamedCurve } from "./curve.js";
import { figureSvg } from "./figure.js";
import { oracleCurves } from "./oracle-report.js";

/** What a chart says beside its curves. */
export interface ChartText {
  readonly title: string;
  readonly subtitle: string;
}

const steps = { label: "environment steps", scale: "linear", format: stepLabel } as const;

/**
 * Learning curves as one SVG file: mean return against environment steps.
 * The same curves and texts give the same bytes.
 */
export function learningCurveSvg(curves: readonly NamedCurve[], text: ChartText): string {
  const lastStep = Math.max(1, largest(curves.flatMap((curve) => curve.steps)));
  return figureSvg({
    ...text,
    // The axes do not shrink around a short run.
    x: { ...steps, reaches: [0, lastStep] },
    y: { label: "mean return of the last 100 training episodes", scale: "linear", reaches: [0, 1] },
    series: curves.map(({ name, steps, meanReturns }) => ({
      name,
      kind: "line",
      points: steps.map((step, i) => [step, meanReturns[i]] as const),
    })),
  });
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

/** `0`, `500`, `50k`, `1.5M` */
function stepLabel(step: number): string {
  if (step >= 1e6) return `${step / 1e6}M`;
  return step >= 1000 ? `${step / 1000}k` : String(step);
}
