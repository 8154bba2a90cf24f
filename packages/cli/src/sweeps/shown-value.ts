import { describeValue } from "softrl";

/** A value of a definition, as errors show it. A module can export what JSON cannot hold. */
export function shownValue(value: unknown): string {
  try {
    return JSON.stringify(value) ?? (value === undefined ? "none" : describeValue(value));
  } catch {
    return describeValue(value);
  }
}
