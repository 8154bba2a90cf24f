import { describe, expect, it } from "vitest";
import { goldenRun } from "../../packages/core/test/algorithms/golden-runs.js";

describe("θ after 20,000 steps has the bytes of commit 8158d84", () => {
  it("npg, CartPole-v1, reference", async () => {
    const { expected, now } = await goldenRun("npg, CartPole-v1, reference");
    expect(now).toEqual(expected);
  });
});
