import {
  environmentAbout,
  environmentIds,
  environmentOptions,
  isBuiltIn,
  makeEnvironment,
  RandomStreams,
  readEnvironmentOptions,
} from "softrl";
import { describe, expect, it } from "vitest";

describe("makeEnvironment", () => {
  it("makes every built-in environment", () => {
    expect(environmentIds).toEqual([
      ...["CartPole-v1", "Acrobot-v1", "MountainCar-v0"],
      ...["GridWorld-v0", "FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "Taxi-v4"],
      ...["MinAtar/Asterix-v1", "MinAtar/Breakout-v1", "MinAtar/Freeway-v1"],
      ...["MinAtar/Seaquest-v1", "MinAtar/SpaceInvaders-v1"],
    ]);
    for (const id of environmentIds) {
      const environment = makeEnvironment(id, 3);
      expect([environment.id, environment.size]).toEqual([id, 3]);
      expect(environmentAbout(id)).not.toBe("");
      environment.reset(new RandomStreams(1));
      environment.step(new Int32Array(3));
    }
  });

  it("passes options on", () => {
    const grid = makeEnvironment("GridWorld-v0", 1, {
      layout: ["SG"],
      slip: 0,
      goalReward: 7,
      stepReward: 0,
    });
    grid.reset(new RandomStreams(1));
    grid.step(Int32Array.of(1));
    expect([grid.rewards[0], grid.terminated[0]]).toEqual([7, 1]);
    const cart = makeEnvironment("CartPole-v1", 1, { maxEpisodeSteps: 1 });
    cart.reset(new RandomStreams(1));
    cart.step(Int32Array.of(1));
    expect(cart.truncated[0]).toBe(1);
    expect(environmentOptions("CartPole-v1")).toEqual(["maxEpisodeSteps"]);
  });

  it("gives GridWorld-v0 a limit of 100 steps", () => {
    const grid = makeEnvironment("GridWorld-v0", 1, { layout: ["S.G"], slip: 0 });
    grid.reset(new RandomStreams(1));
    for (let t = 0; t < 99; t++) grid.step(Int32Array.of(0));
    expect(grid.truncated[0]).toBe(0);
    grid.step(Int32Array.of(0));
    expect([grid.truncated[0], grid.terminated[0]]).toEqual([1, 0]);
  });

  it("has a code for an unknown environment and one for an unknown option", () => {
    const code = (code: string, setting?: string) =>
      expect.objectContaining({ code, details: expect.objectContaining(setting ? { setting } : {}) });
    expect(() => makeEnvironment("Nowhere-v0", 1)).toThrow(code("unknown-environment"));
    const wrong = JSON.parse('{ "slip": 0.5 }');
    expect(() => makeEnvironment("CartPole-v1", 1, wrong)).toThrow(code("unknown-setting"));
    const read = (options: Record<string, string | number>) => () =>
      readEnvironmentOptions("here", "CartPole-v1", options);
    expect(read({ slip: 0.5 })).toThrow(code("unknown-setting", "environmentOptions"));
    expect(read({ maxEpisodeSteps: "many" })).toThrow(code("bad-input", "environmentOptions"));
  });

  it("isBuiltIn accepts exactly the built-in ids", () => {
    expect(environmentIds.every(isBuiltIn)).toBe(true);
    for (const id of ["ALE/Pong-v5", "MountainCarContinuous-v0", "cartpole-v1", "toString", ""])
      expect(isBuiltIn(id)).toBe(false);
  });

  it("lists the known ids, suggests a close match, and names the package for all others", () => {
    expect(() => makeEnvironment("CartPole-v0", 1)).toThrow(
      /expected CartPole-v1 or .* or MinAtar\/SpaceInvaders-v1, got "CartPole-v0"; did you mean CartPole-v1\? .*@softrl\/gymnasium/,
    );
    expect(() => makeEnvironment("ALE/Pong-v5", 1)).toThrow(
      /got "ALE\/Pong-v5"; Gymnasium.*softrl setup gymnasium/,
    );
    expect(() => makeEnvironment("constructor", 1)).toThrow(/not built in/);
  });

  it("refuses an option that the environment does not have", () => {
    expect(() => makeEnvironment("CartPole-v1", 1, { slip: 0.1 })).toThrow(
      'makeEnvironment CartPole-v1: this environment has no such option, expected maxEpisodeSteps, got "slip"',
    );
  });
});
