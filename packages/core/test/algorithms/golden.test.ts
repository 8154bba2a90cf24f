import { describe, expect, test } from "vitest";
import { golden, goldenRun } from "./golden-runs.js";

const equal = [
  "a2c, CartPole-v1, reference",
  "a2c naive, CartPole-v1, reference",
  "a2c, MinAtar/Breakout-v1, wasm",
  "a2c naive, MinAtar/Breakout-v1, wasm",
  "a2c, MinAtar/SpaceInvaders-v1, wasm",
  "a2c naive, MinAtar/SpaceInvaders-v1, wasm",
];

// It takes minutes: test/prove/golden.prove.ts.
const equalInProve = ["npg, CartPole-v1, reference"];

/** The runs whose bytes differ, and the operation that rounds otherwise; single-update.test.ts bounds each update. */
const moved: Readonly<Record<string, readonly string[]>> = {
  "τ and the coefficients are inputs of the program: their products with 1/B were folded in float64 while tracing, and are now multiplied in float32":
    [
      "a2c, CartPole-v1, wasm",
      "a2c naive, CartPole-v1, wasm",
      "npg, CartPole-v1, wasm",
      "npg, MinAtar/Breakout-v1, wasm",
      "npg, MinAtar/SpaceInvaders-v1, wasm",
    ],
  "V(s_t) is subtracted from soft Q-learning's targets before they are rounded, and from Q": [
    "soft-q, CartPole-v1, wasm",
    "soft-q, CartPole-v1, reference",
    "soft-q, MinAtar/Breakout-v1, wasm",
    "soft-q, MinAtar/SpaceInvaders-v1, wasm",
  ],
};

describe("θ after 20,000 steps has the bytes of commit 8158d84", () => {
  test.each(equal)("%s", async (name) => {
    const { expected, now } = await goldenRun(name);
    expect(now).toEqual(expected);
  });

  test("or is listed with the operation that moved", () => {
    const listed = [...equal, ...equalInProve, ...Object.values(moved).flat()];
    expect(listed.sort()).toEqual(Object.keys(golden.parameters).sort());
  });
});
