import { type Descent, type DescentStep, descent } from "../optim/descent.js";
import type { StepRule } from "../optim/optimiser-kind.js";
import type { LoadedProgram } from "../tensor/executor.js";
import { input } from "../tensor/operations.js";

/** One step by a run's rule: its learning rate and its clip are inputs of the program, which {@link setStepRule} writes. */
export function runDescent(
  { optimiser }: StepRule,
  parts: Pick<Descent, "theta" | "views" | "loss">,
): DescentStep {
  return descent({
    ...parts,
    optimiser,
    learningRate: input("learningRate", []),
    maxGradientNorm: input("maxGradientNorm", []),
  });
}

/** Writes the learning rate and the clip of the present step, before a program with a {@link runDescent} runs. */
export function setStepRule(update: LoadedProgram, { learningRate, maxGradientNorm }: StepRule): void {
  update.input("learningRate")[0] = learningRate;
  update.input("maxGradientNorm")[0] = maxGradientNorm;
}
