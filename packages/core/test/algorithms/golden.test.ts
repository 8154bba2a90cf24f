import { describe, expect, test } from "vitest";
import { goldenRun } from "./golden-runs.js";

// The natural policy gradient takes minutes: test/prove/golden.prove.ts.
describe("θ after 20,000 steps has the bytes of commit 8158d84", () => {
  test.each([
    "a2c, CartPole-v1, reference",
    "a2c naive, CartPole-v1, reference",
    "a2c, MinAtar/Breakout-v1, wasm",
    "a2c naive, MinAtar/Breakout-v1, wasm",
    "a2c, MinAtar/SpaceInvaders-v1, wasm",
    "a2c naive, MinAtar/SpaceInvaders-v1, wasm",
  ])("%s", async (name) => {
    const { expected, now } = await goldenRun(name);
    expect(now).toEqual(expected);
  });
});
