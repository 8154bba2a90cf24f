import { inspectNative, type NativeOptions } from "@softrl/native";
import { describe } from "vitest";

const report = inspectNative();

/** Every way in which this machine can run the native kernels, by name. */
export const variants: readonly (readonly [name: string, options: NativeOptions])[] = report.available
  ? report.supported.map((instructionSet) => [instructionSet, { instructionSet }] as const)
  : [];

/** `describe` where the addon is there; else the tests are skipped, and their title says why. */
export function describeNative(title: string, tests: () => void): void {
  if (report.available) describe(title, tests);
  else describe.skip(`${title} (skipped, no native kernels: ${report.reason})`, tests);
}
