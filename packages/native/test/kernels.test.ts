import { createNativeMachine, inspectNative } from "@softrl/native";
import { describe, it, vi } from "vitest";

// core's own tests of every kernel against float64 loops, run on the native machines: map, products, rows and the
// encoder's refusals.
vi.mock("../../core/test/tensor/kernel-machines.js", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  kernelMachines: async () => {
    const report = inspectNative();
    if (!report.available) return [];
    return report.supported.map((instructionSet) => createNativeMachine({ instructionSet }));
  },
}));

const report = inspectNative();
if (report.available) {
  await import("../../core/test/tensor/kernel-map.test.js");
  await import("../../core/test/tensor/kernel-products.test.js");
  await import("../../core/test/tensor/kernel-rows.test.js");
} else {
  describe.skip(`every kernel (skipped, no native kernels: ${report.reason})`, () => {
    it("gives what float64 loops give", () => {});
  });
}
