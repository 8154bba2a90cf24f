import type { LearningCurve } from "softrl";

/** A learning curve with the name that a legend shows. */
export interface NamedCurve extends LearningCurve {
  readonly name: string;
}
