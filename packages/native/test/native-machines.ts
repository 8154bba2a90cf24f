import { inspectNative, type NativeOptions } from "@softrl/native";
import { describe } from "vitest";

const report = inspectNative();

/** All options for running the native kernels on this machine, by name. */
export const variants: readonly (readonly [name: string, options: NativeOptions])[] = report.available
  ? report.supported.map((instructionSet) => [instructionSet, { instructionSet }] as const)
  : [];

/** `describe` if the addon is available; otherwise skips the tests, with the reason in the title. */
export function describeNative(title: string, tests: () => void): void {
  if (report.available) describe(title, tests);
  else describe.skip(`${title} (skipped, no native kernels: ${report.reason})`, tests);
}
