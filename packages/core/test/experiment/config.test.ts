import { describe, expect, test } from "vitest";
import {
  environmentFamily,
  readSettings,
  settingNames,
  trainConfig,
  trainSettings,
} from "../../src/experiment/config.js";
import { defaultInWords } from "../../src/experiment/setting.js";

describe("defaults", () => {
  test("are CartPole's when nothing is chosen", () => {
    expect(trainConfig()).toMatchObject({
      algorithm: "a2c",
      environment: "CartPole-v1",
      environments: 8,
      horizon: 5,
      network: "mlp",
    });
  });

  test("are the A2C lineage's for Atari", () => {
    expect(trainConfig({ algorithm: "soft-q", environment: "ALE/Pong-v5" })).toMatchObject({
      environments: 16,
      horizon: 5,
      learningRate: 7e-4,
      tau: 0.01,
      maxGradientNorm: 0.5,
      valueCoefficient: 0.5,
      network: "nature-cnn",
    });
    expect(environmentFamily("PongNoFrameskip-v4")).toBe("atari");
    expect(environmentFamily("Acrobot-v1")).toBe("vector");
  });

  test("are Atari's for MinAtar, but for the network and the length", () => {
    const { atari, minatar } = {
      atari: trainConfig({ environment: "ALE/Breakout-v5" }),
      minatar: trainConfig({ environment: "MinAtar/Breakout-v1" }),
    };
    expect(environmentFamily("MinAtar/Breakout-v1")).toBe("minatar");
    expect(minatar).toEqual({
      ...atari,
      environment: "MinAtar/Breakout-v1",
      network: "minatar-cnn",
      steps: 5_000_000,
    });
  });

  test("are said in words", () => {
    expect(defaultInWords(trainSettings.gamma)).toBe("0.99");
    expect(defaultInWords(trainSettings.environments)).toBe("8; Atari and MinAtar: 16");
    expect(defaultInWords(trainSettings.network)).toBe("mlp; Atari: nature-cnn; MinAtar: minatar-cnn");
  });

  test("pass their own checks and are the only names of a configuration", () => {
    const config = trainConfig();
    expect(Object.keys(config)).toEqual([...settingNames]);
    expect(readSettings("defaults", config)).toEqual(config);
    expect(trainConfig(config)).toEqual(config);
  });

  test("say what they mean", () => {
    for (const name of settingNames) {
      expect(trainSettings[name].description.length, name).toBeGreaterThan(15);
      expect(trainSettings[name].option, name).toMatch(/--[a-z-]+ <[a-z]+>$/);
    }
  });
});

describe("text of the command line", () => {
  test("means what JSON would", () => {
    expect(trainSettings.steps.check("--steps", trainSettings.steps.fromText("5e5"))).toBe(500_000);
    expect(trainSettings.hiddenSizes.check("", trainSettings.hiddenSizes.fromText("32,16"))).toEqual([
      32, 16,
    ]);
    expect(trainSettings.hiddenSizes.check("", trainSettings.hiddenSizes.fromText(""))).toEqual([]);
  });

  test.each(["", " ", "abc", "1x", "NaN", "Infinity", "-1", "0"])("%j is no temperature", (text) => {
    expect(() => trainSettings.tau.check("--tau", trainSettings.tau.fromText(text))).toThrow(
      /^--tau: not a valid value, expected a number in \(0, ∞\), got /,
    );
  });
});

describe("a configuration that is not valid", () => {
  test.each([
    [{ taus: 1 }, 'run.json: unknown setting "taus"; did you mean tau?'],
    [{ tau: "0.1" }, 'run.json: tau: not a valid value, expected a number in (0, ∞), got "0.1".'],
    [{ tau: null }, "run.json: tau: not a valid value, expected a number in (0, ∞), got null."],
    [{ gamma: 1.5 }, "run.json: gamma: not a valid value, expected a number in [0, 1], got 1.5."],
    [{ seed: 1.5 }, "run.json: seed: not a valid value, expected an integer of at least 0, got 1.5."],
    [
      { seed: 2 ** 53 },
      "run.json: seed: not a valid value, expected an integer in [0, 2^53 − 1 = 9007199254740991], got 9007199254740992.",
    ],
    [{ envs: 4 }, 'run.json: unknown setting "envs"; did you mean environments?'],
    [{ env: "CartPole-v1" }, 'run.json: unknown setting "env"; did you mean environment?'],
    [{ "learning-rat": 1 }, "did you mean learningRate?"],
    [
      { environments: 0 },
      "run.json: environments: not a valid value, expected an integer in [1, 4096], got 0.",
    ],
    [{ hiddenSizes: [64, "64"] }, "expected a list of integers of at least 1"],
    [{ environment: "" }, "expected a text"],
    [
      { algorithm: "softq" },
      'run.json: algorithm: not a valid value, expected "a2c" or "soft-q" or "npg", got "softq"; did you mean soft-q?',
    ],
    [{ constructor: 1 }, "unknown setting"],
  ])("%j is refused", (input, message) => {
    expect(() => readSettings("run.json", input)).toThrow(message);
  });

  test.each([[null], [[]], ["a2c"], [3]])("%j is no configuration", (input) => {
    expect(() => readSettings("run.json", input)).toThrow(
      /run.json: not a configuration, expected an object/,
    );
  });

  test("soft Q-learning has no naive bonus", () => {
    expect(() => trainConfig({ algorithm: "soft-q", entropyBonus: "naive" })).toThrow(
      /entropyBonus does not go with algorithm soft-q/,
    );
  });

  test.each([
    ["PongNoFrameskip-v4", "sticky", 'expected "classic", which this id implies, got "sticky"'],
    ["PongNoFrameskip-v0", undefined, 'expected "sticky", which this id implies, got "classic"'],
  ] as const)("%s is not played by the protocol %s", (environment, atariProtocol, message) => {
    const chosen = atariProtocol === undefined ? { environment } : { environment, atariProtocol };
    expect(() => trainConfig(chosen)).toThrow(`atariProtocol does not go with ${environment}, ${message}`);
  });

  test("ALE/Pong-v5 is a game for either protocol", () => {
    expect(trainConfig({ environment: "ALE/Pong-v5" }).atariProtocol).toBe("classic");
    const sticky = trainConfig({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
    expect(sticky.atariProtocol).toBe("sticky");
    expect(trainConfig({ environment: "PongNoFrameskip-v0", atariProtocol: "sticky" })).toBeDefined();
  });
});
