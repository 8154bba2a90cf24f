import type { SweepResult } from "./results-file.js";
import { keyOf, type PlannedRun } from "./sweep-plan.js";

/**
 * What a row of the results is to the run that the definition plans under its name:
 * - `missing`: there is no row;
 * - `current`: the same settings and the same version of the code;
 * - `other-version`: the same settings, an other version of the code;
 * - `unnamed`: a row without a version, of softrl before it had sweeps;
 * - `other-defaults`: another version, and by it other settings: the definition or a default has changed;
 * - `other-settings`: the same version and other settings: the definition has changed.
 */
export type Standing =
  | "missing"
  | "current"
  | "other-version"
  | "unnamed"
  | "other-defaults"
  | "other-settings";

export function standingOf(result: SweepResult | undefined, run: PlannedRun, version: string): Standing {
  if (result === undefined) return "missing";
  if (result.key === "") return "unnamed";
  if (result.key === run.key) return "current";
  if (result.version === version) return "other-settings";
  return result.key === keyOf(run.settings, result.version) ? "other-version" : "other-defaults";
}

/**
 * Whether a run counts as done. Results of older versions and of other machines do; with `fresh`, only those of the same
 * settings and version.
 */
export const counts = (standing: Standing, fresh: boolean): boolean =>
  standing === "current" || (!fresh && standing !== "missing" && standing !== "other-settings");
