import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes the definition of a small sweep into a folder of its own. */
export function writeDefinition(folder: string, changes: object): void {
  mkdirSync(folder, { recursive: true });
  const definition = {
    options: { steps: 400 },
    variants: [{ name: "A2C", algorithm: "a2c" }],
    environments: ["CartPole-v1"],
    ...changes,
  };
  writeFileSync(join(folder, "runs.json"), JSON.stringify(definition));
}
