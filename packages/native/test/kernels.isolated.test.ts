import { createNativeMachine } from "@softrl/native";
import { it, vi } from "vitest";
import { describeNative, variants } from "./native-machines.js";

// Runs core's tests of every kernel against float64 loops (map, products and rows) on the native machines.
vi.mock("../../core/test/tensor/kernel-machines.js", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  kernelMachines: async () => variants.map(([, options]) => createNativeMachine(options)),
}));

if (variants.length > 0) {
  await import("../../core/test/tensor/kernel-map.test.js");
  await import("../../core/test/tensor/kernel-products.test.js");
  await import("../../core/test/tensor/kernel-rows.test.js");
} else {
  describeNative("every kernel", () => {
    it("matches float64 loops", () => {});
  });
}
