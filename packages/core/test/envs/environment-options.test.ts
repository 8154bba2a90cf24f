import { environmentSettings, makeEnvironment, readEnvironmentOptions, TabularEnvironment } from "softrl";
import { describe, expect, it } from "vitest";

describe("environment options by name", () => {
  it("become options of makeEnvironment", () => {
    expect(
      readEnvironmentOptions("test", "MinAtar/Breakout-v1", { ramping: false, stickyProbability: 0 }),
    ).toEqual({
      ramping: false,
      stickyProbability: 0,
    });
    expect(readEnvironmentOptions("test", "GridWorld-v0", { layout: "S.G/..X" })).toEqual({
      layout: ["S.G", "..X"],
    });
    const dry = makeEnvironment(
      "FrozenLake-v1",
      1,
      readEnvironmentOptions("test", "FrozenLake-v1", { slippery: false }),
    );
    const chances = dry instanceof TabularEnvironment ? new Set(dry.mdp.transitions) : new Set();
    expect(chances).toEqual(new Set([0, 1]));
  });

  it("are refused if their name is unknown or their value has the wrong kind", () => {
    const read = (given: Record<string, string | number | boolean>) =>
      readEnvironmentOptions("test", "FrozenLake-v1", given);
    expect(() => read({ slipery: false })).toThrow(
      /FrozenLake-v1 has no option slipery, expected slippery or maxEpisodeSteps.*did you mean slippery/,
    );
    expect(() => read({ slippery: 1 })).toThrow(/invalid value of slippery, expected true or false, got 1/);
    expect(() => read({ maxEpisodeSteps: "ten" })).toThrow(
      /invalid value of maxEpisodeSteps, expected a number, got "ten"/,
    );
    expect(() => read({ toString: 1 })).toThrow(/has no option toString/);
  });

  it("are stored in the settings as given, also for Gymnasium's environments", () => {
    const { options } = environmentSettings;
    const given = { is_slippery: false, map_name: "8x8", gravity: -9.5 };
    expect(options.check("test", given)).toEqual(given);
    expect(options.defaults.vector).toEqual({});
    for (const wrong of ['{"a":null}', "[1]", '"slip=1"', '{"a":[1]}']) {
      expect(() => options.check("test", JSON.parse(wrong))).toThrow(
        /test: invalid value, expected values by name/,
      );
    }
  });
});
