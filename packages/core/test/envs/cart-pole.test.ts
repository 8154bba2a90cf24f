import { readFileSync } from "node:fs";
import { CartPole, contains, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";

/** Written by golden/cart-pole.py from Gymnasium 1.3.0. */
interface Golden {
  readonly gymnasium: string;
  readonly states: readonly number[][];
  readonly actions: readonly number[];
  /** float32 numbers in decimal notation. */
  readonly observations: readonly number[][];
  readonly rewards: readonly number[];
  readonly terminated: readonly number[];
  readonly run: {
    readonly state: readonly number[];
    readonly actions: readonly number[];
    readonly observations: readonly number[][];
  };
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/cart-pole.json", import.meta.url), "utf8"));

describe("CartPole, beside Gymnasium 1.3.0", () => {
  it("makes the same transitions from 1,400 given states, equal in float32", () => {
    expect(golden.gymnasium).toBe("1.3.0");
    const size = golden.states.length;
    expect(size).toBe(1400);
    const carts = new CartPole(size);
    carts.reset(new RandomStreams(1));
    golden.states.forEach((state, i) => {
      carts.setState(i, state);
    });
    carts.step(Int32Array.from(golden.actions));
    expect(Array.from(carts.terminated)).toEqual(golden.terminated);
    expect(Array.from(carts.rewards)).toEqual(golden.rewards);
    expect(golden.terminated.filter((ended) => ended === 1).length).toBeGreaterThan(100);
    golden.observations.forEach((expected, i) => {
      const from = golden.terminated[i] ? carts.finalObservations : carts.observations;
      expect(Array.from(from.subarray(4 * i, 4 * i + 4))).toEqual(expected.map(Math.fround));
    });
  });

  it("follows one recorded episode of 499 steps, equal in float32", () => {
    const cart = new CartPole(1);
    cart.reset(new RandomStreams(1));
    cart.setState(0, golden.run.state);
    expect(golden.run.actions.length).toBe(499);
    golden.run.actions.forEach((action, t) => {
      cart.step(Int32Array.of(action));
      expect(cart.episodeEnded[0]).toBe(0);
      expect(Array.from(cart.observations)).toEqual(golden.run.observations[t].map(Math.fround));
    });
  });

  it("truncates at step 500 without terminating", () => {
    const cart = balancedUntil(499);
    cart.step(Int32Array.of(golden.run.actions[498]));
    expect([cart.truncated[0], cart.terminated[0], cart.episodeEnded[0]]).toEqual([1, 0, 1]);
    expect([cart.episodeLengths[0], cart.episodeReturns[0]]).toEqual([500, 500]);
  });

  it("sets both flags if the pole falls on the last step", () => {
    const cart = new CartPole(1, { maxEpisodeSteps: 1 });
    cart.reset(new RandomStreams(1));
    cart.setState(0, [2.39, 3, 0, 0]);
    cart.step(Int32Array.of(1));
    expect([cart.truncated[0], cart.terminated[0]]).toEqual([1, 1]);
    expect(cart.finalObservations[0]).toBe(Math.fround(2.39 + 0.02 * 3));
  });

  it("starts all four numbers of each episode in U(-0.05, 0.05)", () => {
    const carts = new CartPole(4000);
    carts.reset(new RandomStreams(5));
    for (let j = 0; j < 4; j++) {
      const numbers = Array.from({ length: 4000 }, (_, i) => carts.observations[4 * i + j]);
      const mean = numbers.reduce((sum, x) => sum + x, 0) / 4000;
      const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4000;
      expect(Math.max(...numbers.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.05));
      // Five standard deviations of the mean and of the variance of a uniform distribution (kurtosis 9/5).
      expect(Math.abs(mean)).toBeLessThan((5 * 0.1) / Math.sqrt(12 * 4000));
      expect(Math.abs(variance / (0.01 / 12) - 1)).toBeLessThan(5 * Math.sqrt(0.8 / 4000));
    }
  });

  it("has Gymnasium's bounds, including unbounded speeds", () => {
    const { observationSpace } = new CartPole(1);
    expect(contains(observationSpace, [4.79, 1e30, -0.41, -1e30])).toBe(true);
    expect(contains(observationSpace, [4.81, 0, 0, 0])).toBe(false);
    expect(contains(observationSpace, [0, 0, 0.42, 0])).toBe(false);
    expect(JSON.parse(JSON.stringify(observationSpace))).toEqual(observationSpace);
  });

  it("changes nothing when it refuses an action", () => {
    const carts = new CartPole(2);
    carts.reset(new RandomStreams(1));
    const before = carts.save();
    expect(() => carts.step(Int32Array.of(1, 2))).toThrow(
      "CartPole-v1 environment 1, step 1: the action is out of range, expected 0 or 1, got 2.",
    );
    expect(carts.save()).toEqual(before);
  });

  it("refuses invalid states and sizes", () => {
    const carts = new CartPole(2);
    expect(() => carts.setState(0, [0, 0, 0, 0])).toThrow(/reset/);
    carts.reset(new RandomStreams(1));
    expect(() => carts.setState(2, [0, 0, 0, 0])).toThrow(/no such environment/);
    expect(() => carts.setState(0, [0, 0, Number.NaN, 0])).toThrow(/state\[2\] is not finite/);
    expect(() => carts.setState(0, [0, 0, 0])).toThrow(/expected 4, got 3/);
    expect(() => new CartPole(0)).toThrow(/size/);
    expect(() => new CartPole(1, { maxEpisodeSteps: 0.5 })).toThrow(/maxEpisodeSteps/);
  });
});

/** One cart after `steps` steps of the recorded episode. */
function balancedUntil(steps: number): CartPole {
  const cart = new CartPole(1);
  cart.reset(new RandomStreams(1));
  cart.setState(0, golden.run.state);
  for (let t = 0; t < steps; t++) cart.step(Int32Array.of(golden.run.actions[t]));
  return cart;
}
