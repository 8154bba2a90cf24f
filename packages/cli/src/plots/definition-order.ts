import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { SoftrlError } from "softrl";
import { distinct } from "../runs/run-statistics.js";
import { DEFINITION_FILE, readDefinition } from "../sweeps/definition.js";
import { label } from "./trained-run.js";

/**
 * The environments of the definitions beside the tables that the arguments of `softrl plot` name, in the order of the
 * definitions. One that cannot be read decides nothing: a figure shows what the tables have.
 */
export async function definedEnvironments(paths: readonly string[]): Promise<readonly string[]> {
  const environments: string[] = [];
  for (const path of paths) {
    const definition = join(path.endsWith(".csv") ? dirname(path) : path, DEFINITION_FILE);
    if (!existsSync(definition)) continue;
    try {
      const { variants } = await readDefinition(definition);
      environments.push(...variants.flatMap((variant) => variant.environments.map(label)));
    } catch (error) {
      if (!(error instanceof SoftrlError)) throw error;
    }
  }
  return distinct(environments);
}
