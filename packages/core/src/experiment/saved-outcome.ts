/** The outcome of a run, read from its checkpoint without its environment and without its algorithm. */
import { type Snapshot, snapshotCount, snapshotSection } from "../base/snapshot.js";
import { LearningCheck } from "./learning-check.js";
import { type LearningCurve, savedCurve } from "./learning-curve.js";
import { savedMeasurements } from "./oracle-measurement.js";
import { savedEvaluations } from "./periodic-evaluation.js";
import { ReturnsWindow } from "./returns-window.js";
import type { RunConfig } from "./run-config.js";
import { type RunOutcome, trainResult } from "./train-result.js";

/**
 * What `Trainer.finish` returned when it wrote a checkpoint; for a checkpoint on the way, what it would have returned.
 *
 * The run has ended if the result is not interrupted: nothing is left to be trained, evaluated or logged.
 * @param stepsPerSecond which no checkpoint holds
 */
export function savedOutcome(
  where: string,
  snapshot: Snapshot,
  run: Pick<RunConfig["run"], "steps" | "oracleEvery" | "evaluateEvery" | "evaluationEpisodes">,
  stepsPerSecond = 0,
): RunOutcome {
  const live = snapshotSection(where, snapshot, "live");
  const step = snapshotCount(where, live, "step");
  const set = snapshotSection(where, live, "set");
  const steps = set.steps === undefined ? run.steps : snapshotCount(where, set, "steps");
  const section = (name: string) => snapshotSection(where, snapshot, name);
  const measurements = run.oracleEvery === 0 ? [] : savedMeasurements(where, section("oracle"));
  const evaluations =
    run.evaluateEvery === 0 ? [] : savedEvaluations(where, section("evaluation"), run.evaluationEpisodes);
  const window = new ReturnsWindow();
  window.restore(section("scores"), where);
  const learning = new LearningCheck();
  learning.restore(section("learning"), where);
  const isLogged = snapshotCount(where, snapshot, "updates") === 0;
  const isEvaluated = run.evaluateEvery === 0 || evaluations.at(-1)?.step === step;
  const meanReturn = window.mean();
  const result = trainResult({
    meanReturn,
    episodes: window.episodes,
    steps: step,
    stepsPerSecond,
    interrupted: !(step >= steps && isLogged && isEvaluated),
    reproducible: snapshot.reproducible !== false,
    warning: learning.warning,
    measurements,
    evaluations,
  });
  return {
    result,
    curve: withPoint(savedCurve(where, section("curve")), step, meanReturn),
    measurements,
    evaluations,
  };
}

/** A curve with a point at this step: an interrupted run's checkpoint is older than its last point. */
function withPoint({ steps, meanReturns }: LearningCurve, step: number, mean: number | null): LearningCurve {
  if (mean === null || steps.at(-1) === step) return { steps, meanReturns };
  return { steps: [...steps, step], meanReturns: [...meanReturns, mean] };
}
