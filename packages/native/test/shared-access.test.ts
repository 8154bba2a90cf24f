import { createNativeExecutor } from "@softrl/native";
import { expect, test } from "vitest";
import { sharedAccessContract } from "../../core/test/algorithms/shared-access-contract.js";
import { describeNative, variants } from "./native-machines.js";

describeNative("access to shared memory", () => {
  for (const [, options] of variants.slice(0, 1)) sharedAccessContract(createNativeExecutor(options));

  test("refuses arrays of another type or length", () => {
    const { sharedAccess } = createNativeExecutor();
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    const message = "softrl native: expected float32 arrays of the same length";
    expect(() => sharedAccess?.write(three, two)).toThrow(message);
    expect(() => sharedAccess?.read(new Float64Array(3), three)).toThrow(message);
    expect(() => sharedAccess?.addStep(three, two, three)).toThrow(message);
    expect(three).toEqual(new Float32Array(3));
  });
});
