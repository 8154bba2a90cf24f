import {
  builtInAlgorithms,
  builtInNetworks,
  builtInOptimisers,
  createTrainer,
  createWasmExecutor,
  type Executor,
  inputSettings,
  MemoryRunStore,
  makeEnvironment,
  Oracle,
  runSettings,
  type Settings,
  type SettingValue,
  type Snapshot,
  SoftrlError,
  stepSettings,
} from "softrl";
import { beforeAll, describe, expect, test } from "vitest";

/** A valid value of each setting that differs from its default. */
const others: Readonly<Record<string, SettingValue>> = {
  steps: 120,
  seed: 2,
  checkpointEvery: 40,
  logEvery: 40,
  oracleEvery: 40,
  evaluateEvery: 40,
  evaluationEpisodes: 3,
  evaluationMode: "mode",
  evaluationMaxSteps: 2,
  saveReplay: false,
  learningRate: 0.01,
  maxGradientNorm: 0.01,
  decay: 0.5,
  epsilon: 0.1,
  epsilonPlace: "outside",
  initialMeanSquare: 1,
  beta1: 0.5,
  beta2: 0.5,
  momentum: 0.5,
  hiddenSizes: [8],
  activation: "silu",
  layerNorm: true,
  horizon: 7,
  gamma: 0.5,
  lambda: 0.5,
  epochs: 2,
  tau: 0.3,
  reference: "uniform",
  valueCoefficient: 2,
  bodies: "shared",
  entropyBonus: "naive",
  gap: "subtracted",
  trustRegion: 0.001,
  longestStep: 0.5,
  fisherDamping: 1,
  conjugateGradientSteps: 1,
  valueSteps: 1,
  normaliseReturns: false,
  inputs: "raw",
  channels: "first",
  centred: true,
  backup: "soft-entropy",
  munchausenWeight: 0.5,
  munchausenFloor: -0.1,
  double: true,
  dueling: true,
  returnSteps: 5,
  loss: "huber",
  batchSize: 16,
  trainEvery: 16,
  replayCapacity: 100,
  replayStart: 64,
  replayFrames: "stacked",
  replay: "prioritised",
  priorityExponent: 0.3,
  importanceExponent: 1,
  targetEvery: 2,
  targetRate: 0.5,
  behaviour: "boltzmann",
  explorationSteps: 10,
  minibatches: 2,
  surrogate: "penalised",
  clipRange: 1e-3,
  penalty: 1,
  normaliseAdvantages: false,
  clipValues: false,
  targetKl: 1e-9,
  // Refused without threads.
  workers: 2,
};

/** Valid values of settings whose names mean something else in another algorithm. */
const othersOf: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  dqn: { epsilon: 0.5, inputs: "normalised", layerNorm: false },
  ppo: { entropyBonus: "proper" },
  pqn: { epsilon: 0.5, layerNorm: false },
};

/** Settings under which a short run of an algorithm reads all that it has. */
const shortRuns: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  dqn: { replayStart: 16, explorationSteps: 100, trainEvery: 8, targetEvery: 25, batchSize: 8 },
  ppo: { horizon: 16 },
  pqn: { horizon: 16 },
};

/** Settings that change what a run writes, not what it learns. */
const ofArtefacts = [
  "checkpointEvery",
  "logEvery",
  "oracleEvery",
  "evaluateEvery",
  "evaluationEpisodes",
  "evaluationMode",
  "evaluationMaxSteps",
  "saveReplay",
];

/** Settings that have an effect only beside others, and those. */
const beside: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  evaluationEpisodes: { evaluateEvery: 400 },
  evaluationMode: { evaluateEvery: 400 },
  evaluationMaxSteps: { evaluateEvery: 400 },
  "dqn.tau": { backup: "soft-entropy" },
  "dqn.munchausenWeight": { backup: "munchausen" },
  "dqn.munchausenFloor": { backup: "munchausen" },
  "dqn.priorityExponent": { replay: "prioritised" },
  "dqn.importanceExponent": { replay: "prioritised" },
  "ppo.penalty": { surrogate: "penalised" },
  "pqn.tau": { backup: "soft-entropy" },
};

/** Settings beside which a short run shows the effect of another one: both networks prefer the same action for long. */
const alongside: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  "dqn.double": { backup: "soft-entropy" },
  // A short run does not move the ratio or the value by ε's default.
  "ppo.clipValues": { clipRange: 1e-3 },
  "ppo.surrogate": { clipRange: 1e-3 },
};

interface Choice {
  readonly algorithm?: string;
  readonly network?: string;
  readonly optimiser?: string;
}

let executor: Executor;
beforeAll(async () => {
  executor = await createWasmExecutor();
});

/** The traces of short runs: most settings are compared with the same ones. */
const known = new Map<string, Promise<Traces>>();

function traces(choice: Choice, section: string, settings: Readonly<Record<string, SettingValue>>) {
  const key = JSON.stringify([choice, section, settings]);
  const found = known.get(key) ?? tracesOf(choice, section, settings);
  known.set(key, found);
  return found;
}

/** The parameters and the events of a run, as text. */
interface Traces {
  readonly learned: string;
  readonly written: string;
}

/** The traces of a short run with these settings. */
async function tracesOf(
  choice: Choice,
  section: string,
  settings: Readonly<Record<string, SettingValue>>,
): Promise<Traces> {
  const frames = choice.network === "minatar-cnn" || choice.network === "nature-cnn";
  const algorithm = builtInAlgorithms.find(({ name }) => name === choice.algorithm) ?? builtInAlgorithms[0];
  // RAdam takes a few steps before it reads the second moment; npg collects 1000 steps for one update.
  const steps = frames ? 128 : algorithm.name === "npg" ? 2000 : 400;
  const id = frames ? "MinAtar/Breakout-v1" : section === "run" ? "GridWorld-v0" : "CartPole-v1";
  const environment = makeEnvironment(id, 8);
  const store = new MemoryRunStore();
  const isEvaluated = settings.evaluateEvery !== undefined;
  const trainer = createTrainer({
    algorithm,
    environment,
    executor,
    ...(choice.network === undefined ? {} : { network: choice.network }),
    ...(choice.optimiser === undefined ? {} : { optimiser: choice.optimiser }),
    settings: {
      run: { steps },
      algorithm: shortRuns[algorithm.name] ?? {},
      [section]: {
        ...(section === "run" ? { steps } : {}),
        ...(section === "algorithm" ? shortRuns[algorithm.name] : {}),
        ...settings,
      },
    },
    store,
    oracle: Oracle,
    ...(isEvaluated ? { evaluation: makeEnvironment(id, 2) } : {}),
  });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const { parameters, pieces = {} } = await trainer.save();
  const [{ config: _, ...started }, ...events] = store.events as readonly ({ config?: unknown } & object)[];
  return {
    learned: bytesOf(parameters as Snapshot),
    written: JSON.stringify([started, ...events, Object.keys(pieces as Snapshot)]),
  };
}

const bytesOf = (parameters: Snapshot): string =>
  JSON.stringify(parameters, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value,
  );

function everySetting(section: string, choice: Choice, settings: Settings) {
  test.each(Object.keys(settings))(`${section}.%s`, async (name) => {
    const setting = settings[name];
    // Boards of zeros and ones are at unit scale as they are.
    const own = section === "optimiser" ? undefined : othersOf[choice.algorithm ?? ""]?.[name];
    const other = name === "inputs" && choice.network !== undefined ? "normalised" : (own ?? others[name]);
    expect(other, `no other value of ${name} in this test`).toBeDefined();
    if (own === undefined) expect(setting.check(name, other)).not.toEqual(setting.defaults.vector);
    const place = [beside, alongside].some((table) => `${choice.algorithm}.${name}` in table)
      ? `${choice.algorithm}.${name}`
      : name;
    const needed = beside[place] ?? alongside[place] ?? {};
    if (place in beside) {
      await expect(traces(choice, section, { [name]: other })).rejects.toThrow(/this setting has no effect/);
    }
    const standard = await traces(choice, section, needed);
    const changed = await traces(choice, section, { ...needed, [name]: other }).catch((error: unknown) => {
      if (error instanceof SoftrlError) return null;
      throw error;
    });
    if (changed === null) return;
    if (ofArtefacts.includes(name)) {
      expect(changed.learned).toBe(standard.learned);
      expect(changed.written).not.toBe(standard.written);
    } else {
      expect(changed.learned).not.toBe(standard.learned);
    }
  });
}

describe("every setting changes the run, or is refused", () => {
  describe.each(builtInAlgorithms.map(({ name, settings }) => [name, settings] as const))(
    "%s",
    (name, settings) => {
      everySetting("algorithm", { algorithm: name }, settings);
      everySetting("optimiser", { algorithm: name }, stepSettings);
      everySetting("network", { algorithm: name }, { ...inputSettings, ...builtInNetworks[0].settings });
    },
  );
  describe.each(builtInOptimisers.map(({ name, settings }) => [name, settings] as const))(
    "%s",
    (name, settings) => {
      everySetting("optimiser", { optimiser: name }, settings);
    },
  );
  describe("minatar-cnn", () => {
    const network = builtInNetworks.find(({ name }) => name === "minatar-cnn");
    everySetting("network", { network: "minatar-cnn" }, { ...inputSettings, ...network?.settings });
  });
  describe("run", () => everySetting("run", {}, runSettings));
});
