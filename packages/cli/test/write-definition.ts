import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkDefinition } from "../src/sweeps/definition.js";
import { planSweep, type SweepPlan } from "../src/sweeps/sweep-plan.js";

/** The definition of a small sweep. */
const smallDefinition = (changes: object) => ({
  options: { steps: 400 },
  variants: [{ name: "A2C", algorithm: "a2c" }],
  environments: ["CartPole-v1"],
  ...changes,
});

/** Writes the definition of a small sweep into a folder of its own. */
export function writeDefinition(folder: string, changes: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "runs.json"), JSON.stringify(smallDefinition(changes)));
}

/** The plan of a small sweep in a folder, by a version of the code. */
export const planOf = (
  folder: string,
  seeds: string | readonly number[],
  version: string,
): Promise<SweepPlan> =>
  planSweep(checkDefinition(join(folder, "runs.json"), smallDefinition({ seeds })), version);
