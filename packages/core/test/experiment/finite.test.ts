import { expect, test } from "vitest";
import { shapedArray } from "../../src/base/snapshot.js";
import { requireFiniteSnapshot } from "../../src/experiment/finite.js";

test("requireFiniteSnapshot looks into every floating-point array, shaped ones too", () => {
  const snapshot = (value: number) => ({
    step: 1,
    parameters: {
      bias: Float64Array.of(1),
      weight: shapedArray([2, 2], Float32Array.of(1, 2, value, 4)),
      counts: shapedArray([], Uint8Array.of(3)),
    },
  });
  expect(() => requireFiniteSnapshot("a2c", snapshot(3), 7)).not.toThrow();
  expect(() => requireFiniteSnapshot("a2c", snapshot(Number.NaN), 7)).toThrow(
    "a2c: parameters.weight[2] is not finite at step 7, expected a finite number, got NaN.",
  );
});
