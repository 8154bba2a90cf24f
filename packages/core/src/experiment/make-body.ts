import { type Space, unitScale } from "../envs/spaces.js";
import type { LayerDefinition } from "../nn/layer.js";
import { inputSettings, type NetworkKind, networkBody } from "../nn/network-kind.js";
import { sectionValues } from "./section.js";

/**
 * The body that a network's section of a configuration describes, for observations of this space.
 * @param where what an error names
 */
export function bodyOf(
  kind: NetworkKind,
  section: Readonly<Record<string, unknown>>,
  observationSpace: Space,
  where = "network",
): LayerDefinition {
  const values = sectionValues(where, kind.settings, section);
  return networkBody(kind, values, sectionValues(where, inputSettings, section), unitScale(observationSpace));
}
