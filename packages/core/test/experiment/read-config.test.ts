import { readConfig } from "softrl";
import { describe, expect, it } from "vitest";

describe("readConfig", () => {
  it("splits a configuration into names, files, the executor and settings", () => {
    const read = readConfig("config.json", {
      run: { seed: 3, executor: "native", precision: "float32", instructionSet: "avx2" },
      environment: { id: "Mine-v0", module: "./mine.js", count: 4, options: { slip: 0.2 } },
      network: { name: "mlp", hiddenSizes: [8] },
      optimiser: { name: "adam", module: "./adam.js" },
      algorithm: { name: "a2c", tau: 0.1 },
    });
    expect(read).toEqual({
      names: { environment: "Mine-v0", algorithm: "a2c", network: "mlp", optimiser: "adam" },
      modules: { environment: "./mine.js", optimiser: "./adam.js" },
      executor: { executor: "native", precision: "float32", instructionSet: "avx2" },
      chosen: {
        run: { seed: 3 },
        environment: { count: 4, options: { slip: 0.2 } },
        network: { hiddenSizes: [8] },
        optimiser: {},
        algorithm: { tau: 0.1 },
      },
    });
  });

  it("takes any part of one, and leaves the rest out", () => {
    expect(readConfig("config.json", {})).toEqual({ names: {}, modules: {}, executor: {}, chosen: {} });
    expect(readConfig("config.json", { algorithm: { tau: 0.1 } })).toEqual({
      names: {},
      modules: {},
      executor: {},
      chosen: { algorithm: { tau: 0.1 } },
    });
  });

  it("checks no value: that takes the kinds", () => {
    const chosen = { run: { seed: "three", nonsense: null } };
    expect(readConfig("config.json", chosen).chosen).toEqual(chosen);
  });

  it.each([
    [null, /^run\.json: not a configuration, expected sections such as \{.*\}, got null\.$/],
    [[], /not a configuration, .* got \[\]/],
    ["a2c", /not a configuration, .* got "a2c"/],
    [3, /not a configuration/],
    [undefined, /not a configuration, .* got undefined/],
    [{ algoritm: {} }, /^run\.json: unknown section "algoritm", .*did you mean algorithm\?/],
    [{ tau: 0.1 }, /unknown section "tau"/],
    [{ constructor: {} }, /unknown section "constructor"/],
    [{ algorithm: "a2c" }, /^run\.json: algorithm: not a section, expected an object of settings, got "a2c"/],
    [{ run: null }, /run: not a section, .* got null/],
    [{ run: [1] }, /run: not a section/],
    [{ algorithm: { name: 3 } }, /^run\.json: algorithm\.name: invalid value, expected a text, got 3/],
    [{ environment: { id: null } }, /environment\.id: invalid value, expected a text, got null/],
    [{ network: { module: {} } }, /network\.module: invalid value/],
    [{ run: { executor: 1 } }, /run\.executor: invalid value/],
  ])("refuses %j", (json, message) => {
    expect(() => readConfig("run.json", json)).toThrow(message);
  });
});
