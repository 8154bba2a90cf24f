import { type Saveable, type Snapshot, snapshotCount, snapshotFinite } from "../base/snapshot.js";

/** The learning curve: after `steps[i]` environment steps the mean return was `meanReturns[i]`. */
export interface LearningCurve {
  readonly steps: readonly number[];
  readonly meanReturns: readonly number[];
}

/** A learning curve that a run adds to. */
export class GrowingCurve implements LearningCurve, Saveable {
  steps: number[] = [];
  meanReturns: number[] = [];

  /** Adds a point, unless the curve has one at this step. */
  add(step: number, meanReturn: number): void {
    if (this.steps.at(-1) === step) return;
    this.steps.push(step);
    this.meanReturns.push(meanReturn);
  }

  save(): Snapshot {
    return {
      length: this.steps.length,
      steps: Float64Array.from(this.steps),
      meanReturns: Float64Array.from(this.meanReturns),
    };
  }

  restore(snapshot: Snapshot): void {
    const { steps, meanReturns } = savedCurve("LearningCurve.restore", snapshot);
    [this.steps, this.meanReturns] = [[...steps], [...meanReturns]];
  }
}

/** The learning curve in a snapshot of it. */
export function savedCurve(where: string, snapshot: Snapshot): LearningCurve {
  const length = snapshotCount(where, snapshot, "length");
  const column = (name: string) => Array.from(snapshotFinite(where, snapshot, name, length));
  return { steps: column("steps"), meanReturns: column("meanReturns") };
}
