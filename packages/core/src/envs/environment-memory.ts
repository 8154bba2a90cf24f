import { requireMemory } from "../base/allocation.js";
import { type Box, observationLength } from "./spaces.js";

/** Of one environment besides its observations, roughly: outcomes, a random stream, and a state. */
const BYTES = 512;

/**
 * Checks that the arrays of S environments fit in memory before any is allocated.
 * @throws SoftrlError with the code `out-of-memory` that says how much they need.
 */
export function requireEnvironmentMemory(id: string, size: number, observationSpace: Box): void {
  const bytes = observationSpace.dtype === "uint8" ? 1 : 4;
  // The newest observation and the final one.
  const each = 2 * bytes * observationLength(observationSpace) + BYTES;
  requireMemory(id, size * each, "make fewer environments");
}
