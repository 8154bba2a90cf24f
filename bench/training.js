// @ts-check
import {
  a2c,
  builtInOptimisers,
  createTrainer,
  environmentFamily,
  environmentSettings,
  MemoryPieceStore,
  stepSettings,
  valueAt,
} from "softrl";

/**
 * What A2C is measured with, here and in the peers: the A2C that the paper used, which every peer has.
 * @param {string} id
 */
export function peerSettings(id) {
  const family = environmentFamily(id);
  /** @param {import("softrl").Setting<import("softrl").LiveNumber>} setting */
  const first = (setting) => valueAt(setting.defaults[family], 0, 1);
  const rmsprop = builtInOptimisers.find(({ name }) => name === "rmsprop");
  return {
    environments: environmentSettings.count.defaults[family],
    horizon: 5,
    gamma: first(a2c.settings.gamma),
    tau: first(a2c.settings.tau),
    valueCoefficient: first(a2c.settings.valueCoefficient),
    learningRate: first(stepSettings.learningRate),
    maxGradientNorm: first(stepSettings.maxGradientNorm),
    decay: Number(rmsprop?.settings.decay.defaults[family]),
    epsilon: Number(rmsprop?.settings.epsilon.defaults[family]),
  };
}

/**
 * A trainer that has started, with a constant learning rate, and everything that a run does except writing files.
 * @param {import("softrl").TrainChoice} choice
 * @param {number} seed
 * @param {(event: import("softrl").RunEvent) => void} [onEvent]
 */
export async function startedTrainer(choice, seed, onEvent = () => {}) {
  const trainer = createTrainer({
    ...choice,
    settings: { ...choice.settings, run: { steps: Number.MAX_SAFE_INTEGER, seed, checkpointEvery: 0 } },
    store: { append: onEvent, writeCheckpoint() {}, writePolicy() {}, pieces: new MemoryPieceStore() },
    clock: () => performance.now() / 1000,
  });
  await trainer.start();
  return trainer;
}

/**
 * A2C with these settings. An iteration is one rollout and one update.
 * @param {import("softrl").Executor} executor
 * @param {import("softrl").VectorEnvironment} environment
 * @param {number} seed
 * @param {(event: import("softrl").RunEvent) => void} [onEvent]
 * @returns {Promise<(iterations: number) => Promise<import("./measure.js").Block>>}
 */
export async function training(executor, environment, seed, onEvent = () => {}) {
  const { learningRate, horizon } = peerSettings(environment.id);
  const settings = {
    optimiser: { learningRate },
    algorithm: { horizon, lambda: 1, normaliseReturns: false, bodies: "shared" },
    // Pixels are scaled in the peers, too.
    ...(isBytes(environment.observationSpace) ? {} : { network: { inputs: "raw" } }),
  };
  const choice = { algorithm: a2c, environment, executor, optimiser: "rmsprop", settings };
  const trainer = await startedTrainer(choice, seed, onEvent);
  return async (iterations) => {
    const began = performance.now();
    for (let i = 0; i < iterations; i++) await trainer.iterate();
    return { seconds: (performance.now() - began) / 1000, iterations };
  };
}

/** @param {import("softrl").Space} space */
const isBytes = (space) => space.kind === "box" && space.dtype === "uint8";
