/** What the oracle measures, and how a checkpoint holds it. */
import { type Snapshot, snapshotArray, snapshotCount } from "../base/snapshot.js";
import type { TruthFigures } from "../mdp/truth.js";

/** The oracle's figures for one θ: distances from the exact solution, and how the algorithms' directions compare. */
export interface OracleFigures extends TruthFigures {
  /**
   * max |g_QL − g_PG| / max(|g_QL|, |g_PG|) of the expected directions: soft Q-learning's, and A2C's policy gradient
   * plus c times its value gradient (§4 in the form of §6.3). The theorem says 0; rounding leaves about 1e-15.
   */
  readonly theoremResidual: number;
  /** The cosine of the same two on one batch, of as many samples as a rollout has: chance alone parts them. */
  readonly batchCosine: number;
  /** |g_QL − g_PG| / |g_PG| on that batch. */
  readonly batchGap: number;
  /** The cosine of the expected policy gradient, n steps and then V_θ, with the true one, ∇ Σ ρ V_π (§3.6). */
  readonly gradientCosine: number;
}

/** One answer of the oracle. */
export interface OracleMeasurement {
  /** Environment steps taken, all environments together. */
  readonly step: number;
  readonly figures: OracleFigures;
}

/** A snapshot of measurements: a column for each figure. */
export function saveMeasurements(measurements: readonly OracleMeasurement[]): Snapshot {
  const figure = (name: keyof OracleFigures) =>
    Float64Array.from(measurements, ({ figures }) => figures[name]);
  return {
    length: measurements.length,
    step: Float64Array.from(measurements, ({ step }) => step),
    ...figuresBy(figure),
  };
}

/** The measurements in a snapshot. */
export function savedMeasurements(where: string, snapshot: Snapshot): OracleMeasurement[] {
  const length = snapshotCount(where, snapshot, "length");
  const column = (name: string) => snapshotArray(where, snapshot, name, "float64", length);
  const columns = figuresBy(column);
  return Array.from(column("step"), (step, i) => ({ step, figures: figuresBy((name) => columns[name][i]) }));
}

/** Something for each figure. */
function figuresBy<Value>(of: (name: keyof OracleFigures) => Value): Record<keyof OracleFigures, Value> {
  return {
    softReturn: of("softReturn"),
    optimalReturn: of("optimalReturn"),
    regret: of("regret"),
    valueError: of("valueError"),
    valueErrorVisited: of("valueErrorVisited"),
    qError: of("qError"),
    qErrorVisited: of("qErrorVisited"),
    optimalValueError: of("optimalValueError"),
    optimalValueErrorVisited: of("optimalValueErrorVisited"),
    optimalQError: of("optimalQError"),
    optimalQErrorVisited: of("optimalQErrorVisited"),
    policyError: of("policyError"),
    policyErrorVisited: of("policyErrorVisited"),
    theoremResidual: of("theoremResidual"),
    batchCosine: of("batchCosine"),
    batchGap: of("batchGap"),
    gradientCosine: of("gradientCosine"),
  };
}
