import { type AlgorithmName, algorithmAbout, algorithmNames } from "../algorithms/registry.js";
import { fail } from "../base/errors.js";
import { nearMatch, suggestion } from "../base/near-match.js";
import { atariProtocols, requireProtocolFits } from "../envs/atari/protocol.js";
import { exactEnvironmentIds, isBuiltIn, readEnvironmentOptions } from "../envs/registry.js";
import {
  choiceSetting,
  type EnvironmentFamily,
  integerListSetting,
  integerSetting,
  namedScalarsSetting,
  numberSetting,
  type Setting,
  textSetting,
} from "./setting.js";

/**
 * Everything that decides a training run, documented beside its default.
 *
 * Several defaults, where they differ: `vector` is for CartPole and its like, `atari` is the A2C lineage that the
 * paper used (§6.3), `minatar` the same but for the network and the length.
 */
const settings = {
  algorithm: choiceSetting({
    option: "-a, --algorithm <name>",
    description: `the learning rule: ${algorithmNames.map((name) => `${name}, ${algorithmAbout(name)}`).join("; ")}`,
    choices: algorithmNames,
    defaults: "a2c",
  }),
  environment: textSetting({
    option: "-e, --env <id>",
    description:
      "the environment: a built-in id such as CartPole-v1, or any id of Gymnasium such as ALE/Pong-v5",
    defaults: "CartPole-v1",
  }),
  environmentOptions: namedScalarsSetting({
    option: "--env-options <list>",
    description:
      "options of the environment as name=value, separated by commas: those of docs/environments.md, or what Gymnasium's make takes by name",
  }),
  atariProtocol: choiceSetting({
    option: "--atari-protocol <name>",
    description:
      "Atari only: the rules of a game, never mixed: classic, no-ops at the start and training episodes that end with a life; or sticky, actions that stick and whole games (Machado et al. 2018)",
    choices: atariProtocols,
    defaults: "classic",
  }),
  environments: integerSetting({
    option: "--envs <count>",
    description: "environments stepped together, S",
    low: 1,
    high: 4096,
    defaults: { vector: 8, atari: 16 },
  }),
  horizon: integerSetting({
    option: "--horizon <steps>",
    description: "steps of each environment between two updates, and the n of the n-step returns",
    low: 1,
    high: 65536,
    defaults: 5,
  }),
  steps: integerSetting({
    option: "--steps <count>",
    description: "environment steps to train for, all environments together, rounded up to whole rollouts",
    low: 1,
    defaults: { vector: 500_000, atari: 10_000_000, minatar: 5_000_000 },
  }),
  seed: integerSetting({
    option: "--seed <integer>",
    description: "the only source of randomness: the same seed gives the same run",
    low: 0,
    defaults: 1,
  }),
  gamma: numberSetting({
    option: "--gamma <number>",
    description: "the discount γ: what a reward one step later is worth now",
    low: 0,
    high: 1,
    defaults: 0.99,
  }),
  tau: numberSetting({
    option: "--tau <number>",
    description: "the temperature τ, in units of reward: the price of one nat of KL divergence",
    above: 0,
    defaults: { vector: 0.001, atari: 0.01 },
  }),
  reference: choiceSetting({
    option: "--reference <name>",
    description:
      "the reference policy π̄: the counting measure, whose −KL is the entropy (§6.3), or the uniform distribution",
    choices: ["entropy", "uniform"],
    defaults: "entropy",
  }),
  entropyBonus: choiceSetting({
    option: "--entropy-bonus <kind>",
    description:
      "a2c only: the bonus inside the returns (proper, §3.6) or at the visited state alone (naive); soft-q and npg have the proper one",
    choices: ["proper", "naive"],
    defaults: "proper",
  }),
  learningRate: numberSetting({
    option: "--learning-rate <number>",
    description: "RMSProp's step size at the start",
    above: 0,
    defaults: { vector: 2e-3, atari: 7e-4 },
  }),
  schedule: choiceSetting({
    option: "--schedule <name>",
    description: "what the learning rate does over the run: falls to zero in a straight line, or stays",
    choices: ["linear", "constant"],
    defaults: "linear",
  }),
  rmspropDecay: numberSetting({
    option: "--rmsprop-decay <number>",
    description: "RMSProp's α: how much of the mean square is kept at each update",
    low: 0,
    high: 1,
    defaults: 0.99,
  }),
  rmspropEpsilon: numberSetting({
    option: "--rmsprop-epsilon <number>",
    description: "RMSProp's ε, inside the square root",
    above: 0,
    defaults: 1e-5,
  }),
  valueCoefficient: numberSetting({
    option: "--value-coefficient <number>",
    description: "the weight c of the value error ½(V − V̂)²",
    low: 0,
    defaults: 0.5,
  }),
  maxGradientNorm: numberSetting({
    option: "--max-gradient-norm <number>",
    description: "the global norm that the whole gradient is clipped to, after every other rescaling",
    above: 0,
    defaults: 0.5,
  }),
  trustRegion: numberSetting({
    option: "--trust-region <number>",
    description: "npg only: δ, the KL divergence of a step to second order; falls as the learning rate does",
    above: 0,
    defaults: 0.01,
  }),
  longestStep: numberSetting({
    option: "--longest-step <number>",
    description:
      "npg only: the largest multiple of the natural gradient that a step may be, over the root mean square of the run's advantages",
    above: 0,
    defaults: 5,
  }),
  fisherDamping: numberSetting({
    option: "--fisher-damping <number>",
    description: "npg only: what is added to the diagonal of the Fisher matrix",
    low: 0,
    defaults: 0.1,
  }),
  conjugateGradientSteps: integerSetting({
    option: "--conjugate-gradient-steps <count>",
    description: "npg only: Fisher-vector products a step, at most",
    low: 1,
    high: 1000,
    defaults: 10,
  }),
  valueSteps: integerSetting({
    option: "--value-steps <count>",
    description: "npg only: steps of the value's fit after each rollout",
    low: 0,
    high: 1000,
    defaults: 50,
  }),
  network: choiceSetting({
    option: "--network <name>",
    description:
      "the body under both heads: a multi-layer perceptron (tanh), the Nature CNN for frames, or MinAtar's small CNN",
    choices: ["mlp", "nature-cnn", "minatar-cnn"],
    defaults: { vector: "mlp", atari: "nature-cnn", minatar: "minatar-cnn" },
  }),
  hiddenSizes: integerListSetting({
    option: "--hidden-sizes <list>",
    description: "units of each hidden layer of the mlp, separated by commas",
    low: 1,
    defaults: { vector: [64, 64], atari: [64, 64] },
  }),
  checkpointEvery: integerSetting({
    option: "--checkpoint-every <steps>",
    description: "environment steps between two checkpoints; 0 writes one at the end only",
    low: 0,
    defaults: { vector: 100_000, atari: 1_000_000 },
  }),
  logEvery: integerSetting({
    option: "--log-every <steps>",
    description:
      "environment steps between two update events, each the mean of the updates since the last one",
    low: 1,
    defaults: { vector: 2_000, atari: 10_000 },
  }),
  oracleEvery: integerSetting({
    option: "--oracle-every <steps>",
    description:
      "environment steps between two measurements of V, Q, π, the regret and both gradients against the exact process, where the environment knows it; 0 measures nothing",
    low: 0,
    defaults: 0,
  }),
};

/** Where an algorithm wants other defaults than the table's. */
const ownDefaults: Readonly<Record<AlgorithmName, Partial<TrainConfig>>> = {
  a2c: {},
  "soft-q": {},
  npg: { horizon: 125 },
};

type ValueOf<S> = S extends Setting<infer Value> ? Value : never;

/** A complete, checked description of one training run. */
export type TrainConfig = { readonly [Name in keyof typeof settings]: ValueOf<(typeof settings)[Name]> };

/** The name of one setting. */
export type SettingName = keyof TrainConfig;

/** All settings, in the order of the help text. */
export const trainSettings: { readonly [Name in SettingName]: Setting<TrainConfig[Name]> } = settings;

/** The names of all settings, in the order of the help text. */
export const settingNames: readonly SettingName[] = Object.keys(settings).filter(isSettingName);

/** The family that an environment's id belongs to. */
export function environmentFamily(id: string): EnvironmentFamily {
  if (id.startsWith("MinAtar/")) return "minatar";
  // Every other id of Atari's shows what Gymnasium gives: raw pictures, or the console's memory.
  return /^(ALE\/\w+-v5|\w+NoFrameskip-v\d+)$/.test(id) ? "atari" : "vector";
}

/**
 * Checks settings of unknown shape, for instance parsed JSON.
 * @param where what an error names: the file that they came from.
 * @throws SoftrlError for an unknown key, a wrong type or a value out of range.
 */
export function readSettings(where: string, input: unknown): Partial<TrainConfig> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    fail(where, "not a configuration", {
      expected: 'an object such as {"algorithm": "a2c", "tau": 0.01}',
      got: JSON.stringify(input) ?? String(input),
    });
  }
  let chosen: Partial<TrainConfig> = {};
  for (const [name, value] of Object.entries(input)) {
    if (!isSettingName(name)) {
      fail(where, `unknown setting ${JSON.stringify(name)}`, { remedy: settingSuggestion(name) });
    }
    chosen = { ...chosen, [name]: trainSettings[name].check(`${where}: ${name}`, value) };
  }
  return chosen;
}

/**
 * Fills in what was not chosen, by the environment's family.
 * @throws SoftrlError when a value is out of range, or when two do not go together.
 */
export function trainConfig(chosen: Partial<TrainConfig> = {}): TrainConfig {
  const checked = readSettings("trainConfig", chosen);
  const family = environmentFamily(checked.environment ?? settings.environment.defaults.vector);
  const algorithm = checked.algorithm ?? settings.algorithm.defaults[family];
  const value = <Name extends SettingName>(name: Name): TrainConfig[Name] =>
    checked[name] ?? ownDefaults[algorithm][name] ?? trainSettings[name].defaults[family];
  const config: TrainConfig = {
    algorithm: value("algorithm"),
    environment: value("environment"),
    environmentOptions: value("environmentOptions"),
    atariProtocol: value("atariProtocol"),
    environments: value("environments"),
    horizon: value("horizon"),
    steps: value("steps"),
    seed: value("seed"),
    gamma: value("gamma"),
    tau: value("tau"),
    reference: value("reference"),
    entropyBonus: value("entropyBonus"),
    learningRate: value("learningRate"),
    schedule: value("schedule"),
    rmspropDecay: value("rmspropDecay"),
    rmspropEpsilon: value("rmspropEpsilon"),
    valueCoefficient: value("valueCoefficient"),
    maxGradientNorm: value("maxGradientNorm"),
    trustRegion: value("trustRegion"),
    longestStep: value("longestStep"),
    fisherDamping: value("fisherDamping"),
    conjugateGradientSteps: value("conjugateGradientSteps"),
    valueSteps: value("valueSteps"),
    network: value("network"),
    hiddenSizes: value("hiddenSizes"),
    checkpointEvery: value("checkpointEvery"),
    logEvery: value("logEvery"),
    oracleEvery: value("oracleEvery"),
  };
  if (config.algorithm !== "a2c" && config.entropyBonus === "naive") {
    fail("trainConfig", `entropyBonus does not go with algorithm ${config.algorithm}`, {
      expected: '"proper"',
      got: '"naive"',
      remedy: "its targets always carry the proper bonus; choose a2c for the naive one",
    });
  }
  const { environment: id } = config;
  if (config.oracleEvery > 0 && isBuiltIn(id) && !exactEnvironmentIds.includes(id)) {
    fail("trainConfig", `oracleEvery does not go with environment ${id}`, {
      expected: `an environment that knows its exact process: ${exactEnvironmentIds.join(", ")}`,
      got: JSON.stringify(id),
      remedy: "choose one of them, or leave oracleEvery at 0",
    });
  }
  if (isBuiltIn(config.environment)) {
    readEnvironmentOptions("trainConfig", config.environment, config.environmentOptions);
  }
  requireProtocolFits("trainConfig", config.environment, config.atariProtocol);
  return config;
}

/** The setting that a wrong key means: one of a like name, or of a like option (`envs`, `env`). */
function settingSuggestion(key: string): string {
  const byOption = settingNames.find((name) => optionName(name) === key.replace(/^-+/, ""));
  if (byOption !== undefined) return `did you mean ${byOption}?`;
  if (nearMatch(key, settingNames) !== null) return suggestion(key, settingNames);
  const near = nearMatch(key, settingNames.map(optionName));
  const meant = settingNames.find((name) => optionName(name) === near);
  return meant === undefined ? suggestion(key, settingNames) : `did you mean ${meant}?`;
}

const optionName = (name: SettingName): string => /--([a-z-]+)/.exec(trainSettings[name].option)?.[1] ?? name;

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}
