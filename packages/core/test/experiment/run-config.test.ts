import {
  a2c,
  algorithmKind,
  builtInAlgorithms,
  builtInNetworks,
  builtInOptimisers,
  type ChosenSettings,
  createReferenceExecutor,
  defaultNetworks,
  defaultOf,
  defaultOptimiser,
  environmentFamily,
  environmentIds,
  exactEnvironmentIds,
  executorIdentity,
  integerSetting,
  liveSetting,
  naturalPolicyGradient,
  networkKind,
  optimiserKind,
  type RunChoice,
  type RunConfig,
  type RunKinds,
  readConfig,
  runConfig,
  runSettings,
  type SectionName,
  sectionNames,
  sectionSettings,
  sgd,
  softQLearning,
} from "softrl";
import { describe, expect, it } from "vitest";
import { mlp } from "../../src/nn/body.js";
import { kindsOf } from "../algorithms/bare-algorithm.js";

const executor = { name: "wasm", precision: "float32" } as const;
const families = {
  vector: "CartPole-v1",
  table: "FrozenLake-v1",
  atari: "ALE/Pong-v5",
  minatar: "MinAtar/Breakout-v1",
} as const;

function configOf(
  environment: string,
  chosen: ChosenSettings = {},
  kinds: RunKinds = kindsOf(a2c, environment),
): RunConfig {
  return runConfig({ kinds, environment, executor, chosen });
}

describe("an environment's family", () => {
  it("is told from its id", () => {
    expect(environmentFamily("ALE/Pong-v5")).toBe("atari");
    expect(environmentFamily("PongNoFrameskip-v4")).toBe("atari");
    expect(environmentFamily("MinAtar/Breakout-v1")).toBe("minatar");
    expect(environmentFamily("Acrobot-v1")).toBe("vector");
    for (const id of environmentIds) {
      const isExact = exactEnvironmentIds.includes(id);
      expect(environmentFamily(id) === "table", id).toBe(isExact);
    }
    expect(environmentFamily("Taxi-v3")).toBe("table");
    expect(environmentFamily("TaxiRank-v0")).toBe("vector");
    expect(environmentFamily("ALE/Pong-ram-v5")).toBe("vector");
    expect(environmentFamily("Pong-v4")).toBe("vector");
  });

  it("decides the network", () => {
    expect(defaultNetworks).toEqual({
      vector: "mlp",
      table: "mlp",
      atari: "nature-cnn",
      minatar: "minatar-cnn",
    });
  });
});

function networkNamed(name: string) {
  const network = builtInNetworks.find((kind) => kind.name === name);
  if (network === undefined) throw new Error(`there is no network ${name}`);
  return network;
}

describe("defaults", () => {
  it("are those of the settings for CartPole", () => {
    expect(configOf("CartPole-v1")).toEqual({
      run: {
        steps: 500_000,
        seed: 1,
        checkpointEvery: 100_000,
        logEvery: 2000,
        oracleEvery: 0,
        evaluateEvery: 0,
        evaluationEpisodes: 10,
        evaluationMode: "sample",
        evaluationMaxSteps: 10_000,
        executor: "wasm",
        precision: "float32",
      },
      environment: { id: "CartPole-v1", count: 8, options: {} },
      network: {
        name: "mlp",
        inputs: "normalised",
        channels: "last",
        hiddenSizes: [64, 64],
        activation: "tanh",
        layerNorm: false,
      },
      optimiser: {
        name: "rmsprop",
        learningRate: { from: 2e-3, to: 0 },
        maxGradientNorm: 0.5,
        decay: 0.99,
        epsilon: 1e-5,
        epsilonPlace: "inside",
        initialMeanSquare: 0,
        centred: false,
      },
      algorithm: {
        name: "a2c",
        horizon: 5,
        gamma: 0.99,
        lambda: 1,
        tau: 0.001,
        reference: "entropy",
        normaliseReturns: true,
        valueCoefficient: 0.5,
        bodies: "separate",
        entropyBonus: "proper",
      },
    });
  });

  it("are those of the A2C that the paper used for Atari, with a constant learning rate", () => {
    const config = configOf("ALE/Pong-v5", {}, kindsOf(softQLearning, "ALE/Pong-v5"));
    expect(config).toMatchObject({
      run: { steps: 10_000_000 },
      environment: { count: 16, atariProtocol: "classic" },
      network: { name: "nature-cnn", activation: "relu" },
      optimiser: { name: "rmsprop", learningRate: 7e-4, maxGradientNorm: 0.5 },
      algorithm: { name: "soft-q", horizon: 5, tau: 0.01, valueCoefficient: 0.5, gap: "kept" },
    });
  });

  it("are a table's for one-hot states", () => {
    expect(configOf("FrozenLake-v1", {}, kindsOf(a2c, "FrozenLake-v1", "adam"))).toMatchObject({
      run: { steps: 500_000 },
      environment: { count: 8 },
      network: { name: "mlp", inputs: "unit", hiddenSizes: [] },
      optimiser: { name: "adam", learningRate: { from: 0.02, to: 0 } },
      algorithm: { horizon: 5, lambda: 1, bodies: "separate", normaliseReturns: false },
    });
  });

  it("are those of experiments/tuning for MinAtar", () => {
    const minatar = configOf("MinAtar/Breakout-v1", {}, kindsOf(a2c, "MinAtar/Breakout-v1", "adam"));
    expect("atariProtocol" in minatar.environment).toBe(false);
    expect(minatar).toMatchObject({
      run: { steps: 5_000_000 },
      environment: { count: 16, options: {} },
      network: { name: "minatar-cnn", inputs: "unit" },
      optimiser: { name: "adam", learningRate: { from: 3e-3, to: 0 }, maxGradientNorm: 0.5 },
      algorithm: { horizon: 10, lambda: 0.8, tau: 0.01, bodies: "shared", normaliseReturns: false },
    });
    expect(defaultOptimiser(a2c, "minatar", networkNamed("minatar-cnn"))).toBe("adam");
    expect(defaultOptimiser(naturalPolicyGradient, "minatar", networkNamed("minatar-cnn"))).toBe("rmsprop");
  });

  it("of npg are a rollout of its own and no coefficient of the value's error", () => {
    const { algorithm } = configOf("CartPole-v1", {}, kindsOf(naturalPolicyGradient, "CartPole-v1"));
    expect(algorithm.horizon).toBe(125);
    expect("valueCoefficient" in algorithm).toBe(false);
    const chosen = { algorithm: { horizon: 7 } };
    const short = configOf("CartPole-v1", chosen, kindsOf(naturalPolicyGradient, "CartPole-v1"));
    expect(short.algorithm.horizon).toBe(7);
    expect(configOf("CartPole-v1").algorithm.horizon).toBe(5);
  });

  it.each(Object.values(families))("pass their own checks, and describe themselves: %s", (environment) => {
    for (const algorithm of builtInAlgorithms) {
      for (const network of builtInNetworks) {
        for (const optimiser of builtInOptimisers) {
          const kinds = { algorithm, network, optimiser };
          const config = configOf(environment, {}, kinds);
          for (const [section, settings] of Object.entries(sectionSettings(kinds, environment))) {
            for (const [name, setting] of Object.entries(settings)) {
              const values: Readonly<Record<string, unknown>> = { ...config[section as SectionName] };
              expect(setting.check(name, values[name])).toEqual(values[name]);
              expect(setting.about.length, name).toBeGreaterThan(10);
            }
          }
        }
      }
    }
  });
});

/** An algorithm with defaults of its own for other sections. */
const careful = algorithmKind({
  name: "careful",
  title: "careful",
  about: "an algorithm with defaults of its own",
  settings: { patience: integerSetting({ about: "how long it waits", low: 0, default: 3 }) },
  defaults: (family) => ({
    run: { logEvery: family === "vector" ? 10 : 20 },
    environment: { count: 4 },
    network: { activation: "relu" },
    optimiser: { name: "adam", learningRate: 1e-4 },
  }),
  make: () => {
    throw new Error("never made");
  },
});

describe("kinds by value", () => {
  it("have their defaults in other sections, by family; what is chosen goes before them", () => {
    const kinds = kindsOf(careful, "CartPole-v1", defaultOptimiser(careful, "vector", networkNamed("mlp")));
    const config = configOf("CartPole-v1", {}, kinds);
    expect(config).toMatchObject({
      run: { logEvery: 10, checkpointEvery: 100_000 },
      environment: { count: 4 },
      network: { activation: "relu", hiddenSizes: [64, 64] },
      optimiser: { name: "adam", learningRate: 1e-4, beta1: 0.9 },
      algorithm: { name: "careful", patience: 3 },
    });
    const atari = configOf("ALE/Pong-v5", {}, { ...kindsOf(careful, "ALE/Pong-v5", "adam") });
    expect(atari.run.logEvery).toBe(20);
    const chosen = { run: { logEvery: 7 }, network: { activation: "silu" } };
    expect(configOf("CartPole-v1", chosen, kinds)).toMatchObject(chosen);
  });

  it("have the optimiser that the algorithm names, or rmsprop", () => {
    expect(defaultOptimiser(careful, "vector", networkNamed("mlp"))).toBe("adam");
    const frames = networkNamed("nature-cnn");
    for (const algorithm of builtInAlgorithms) {
      const own = { ppo: "adam", pqn: "radam" }[algorithm.name] ?? "rmsprop";
      expect(defaultOptimiser(algorithm, "atari", frames)).toBe(own);
      // Images of an environment of no known family are learned from as Atari's.
      expect(defaultOptimiser(algorithm, "vector", frames)).toBe(own);
    }
  });

  it("have a default for each setting of each section", () => {
    const kinds = kindsOf(careful, "CartPole-v1", "adam");
    expect(defaultOf(kinds, "vector", "run", "logEvery", runSettings.logEvery)).toBe(10);
    expect(defaultOf(kinds, "atari", "run", "seed", runSettings.seed)).toBe(1);
    const patience = careful.settings.patience;
    expect(defaultOf(kinds, "atari", "algorithm", "patience", patience)).toBe(3);
  });

  it("of a network and an optimiser have their own settings, in their sections", () => {
    const network = networkKind({
      name: "wide",
      about: "one hidden layer",
      settings: { width: integerSetting({ about: "its units", low: 1, default: 32 }) },
      body: ({ width }) => mlp([width]),
    });
    const optimiser = optimiserKind({
      name: "plain",
      about: "a plain step",
      settings: { friction: liveSetting({ about: "a number", low: 0, default: 0 }) },
      make: () => sgd({}),
    });
    const kinds = { algorithm: a2c, network, optimiser };
    const choice: RunChoice = {
      kinds,
      modules: { network: "./wide.js", environment: "./mine.js" },
      environment: "Mine-v0",
      executor,
      chosen: { network: { width: 8 }, optimiser: { friction: { from: 1, to: 0 } } },
    };
    const config = runConfig(choice);
    expect(config.network).toMatchObject({ name: "wide", module: "./wide.js", width: 8 });
    expect(config.environment).toEqual({ id: "Mine-v0", module: "./mine.js", count: 8, options: {} });
    expect(config.optimiser).toMatchObject({ name: "plain", friction: { from: 1, to: 0 } });
    expect("module" in config.optimiser).toBe(false);
  });
});

describe("a setting that is not valid", () => {
  const where = (section: string, name: string) => `run.json: ${section}.${name}`;
  it.each([
    ["algorithm", { taus: 1 }, 'run.json: algorithm.taus: a2c has no setting "taus"; did you mean tau?'],
    [
      "algorithm",
      { tau: "0.1" },
      'run.json: algorithm.tau: invalid value, expected a number in (0, ∞), or a schedule: 0.1:0.01 as an option, {"from": 0.1, "to": 0.01} in JSON, got "0.1".',
    ],
    ["algorithm", { tau: 0 }, "run.json: algorithm.tau: invalid value, expected a number in (0, ∞), got 0."],
    [
      "algorithm",
      { gamma: 1.5 },
      "run.json: algorithm.gamma: invalid value, expected a number in [0, 1], got 1.5.",
    ],
    ["algorithm", { entropyBonus: "propper" }, "did you mean proper?"],
    [
      "algorithm",
      { gap: "kept" },
      'run.json: algorithm.gap: a2c has no setting "gap"; soft-q and async-soft-q have.',
    ],
    ["algorithm", { constructor: 1 }, 'a2c has no setting "constructor"'],
    ["run", { seed: 1.5 }, "run.json: run.seed: invalid value, expected an integer of at least 0, got 1.5."],
    [
      "run",
      { seed: 2 ** 53 },
      "run.json: run.seed: invalid value, expected an integer in [0, 2^53 − 1 = 9007199254740991], got 9007199254740992.",
    ],
    ["run", { step: 3 }, 'run.json: run.step: the section run has no setting "step"; did you mean steps?'],
    [
      "environment",
      { counts: 4 },
      'run.json: environment.counts: CartPole-v1 has no setting "counts"; did you mean count?',
    ],
    [
      "environment",
      { count: 0 },
      "run.json: environment.count: invalid value, expected an integer in [1, 4096], got 0.",
    ],
    [
      "environment",
      { atariProtocol: "sticky" },
      'CartPole-v1 has no setting "atariProtocol"; Atari\'s environments have.',
    ],
    [
      "network",
      { hiddenSizes: [64, "64"] },
      "run.json: network.hiddenSizes: invalid value, expected a list of integers of at least 1",
    ],
    ["network", { hidden: [64] }, 'mlp has no setting "hidden"; did you mean hiddenSizes?'],
    ["optimiser", { "learning-rat": 1 }, "did you mean learningRate?"],
    ["optimiser", { beta1: 0.5 }, 'rmsprop has no setting "beta1"; adam and radam have.'],
  ])("in the section %s is refused: %j", (section, settings, message) => {
    const choice = { kinds: kindsOf(a2c, "CartPole-v1"), environment: "CartPole-v1", executor };
    expect(() => runConfig({ ...choice, chosen: { [section]: settings } }, where)).toThrow(message);
    const expected = `${section}.${Object.keys(settings)[0]}: `;
    expect(() => runConfig({ ...choice, chosen: { [section]: settings } })).toThrow(expected);
  });

  it("is refused where it belongs to another algorithm", () => {
    const naive = { algorithm: { entropyBonus: "naive" } };
    for (const algorithm of [softQLearning, naturalPolicyGradient]) {
      expect(() => configOf("CartPole-v1", naive, kindsOf(algorithm, "CartPole-v1"))).toThrow(
        `algorithm.entropyBonus: ${algorithm.name} has no setting "entropyBonus"`,
      );
    }
  });
});

describe("a configuration as JSON", () => {
  it.each(Object.values(families))(
    "is canonical: read and completed, it gives the same JSON: %s",
    (environment) => {
      for (const algorithm of builtInAlgorithms) {
        const chosen = {
          run: { seed: 5 },
          optimiser: {
            learningRate: {
              steps: [
                [0, 0.1],
                [10, 0.2],
              ],
            },
          },
          algorithm: { tau: { from: 0.1, to: 0.01 } },
        };
        const kinds = kindsOf(algorithm, environment);
        const config = runConfig({ kinds, environment, executor: createReferenceExecutor(), chosen });
        const json = JSON.stringify(config);
        const read = readConfig("config.json", JSON.parse(json));
        expect(read.names).toEqual({
          environment,
          algorithm: algorithm.name,
          network: kinds.network.name,
          optimiser: "rmsprop",
        });
        expect(read.executor).toEqual({ executor: "reference", precision: "float64" });
        const again = runConfig({
          kinds,
          modules: read.modules,
          environment,
          executor: { name: "reference", precision: "float64" },
          chosen: read.chosen,
        });
        expect(JSON.stringify(again)).toBe(json);
        expect(Object.keys(config)).toEqual([...sectionNames]);
      }
    },
  );

  it("has the instruction set of an executor whose bytes depend on it", () => {
    const native = { name: "native", precision: "float32", instructionSet: "avx2" } as const;
    expect(executorIdentity(native)).toEqual({
      executor: "native",
      precision: "float32",
      instructionSet: "avx2",
    });
    expect(executorIdentity(executor)).toEqual({ executor: "wasm", precision: "float32" });
  });
});
