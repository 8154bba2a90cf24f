import { expect, test } from "vitest";
import { nearMatch, suggestion } from "../../src/base/near-match.js";

const names = ["CartPole-v1", "GridWorld-v0", "a2c", "soft-q"];

test("finds the name behind a typing mistake", () => {
  expect(nearMatch("CartPole-v0", names)).toBe("CartPole-v1");
  expect(nearMatch("cartpole", names)).toBe("CartPole-v1");
  expect(nearMatch("softq", names)).toBe("soft-q");
  expect(nearMatch("ac2", names)).toBe("a2c");
});

test("says nothing when nothing is near", () => {
  expect(nearMatch("ppo-lstm", names)).toBeNull();
  expect(nearMatch("", names)).toBeNull();
  expect(suggestion("ppo-lstm", names)).toBe("choose one of CartPole-v1, GridWorld-v0, a2c, soft-q");
});
