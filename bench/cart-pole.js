// @ts-check
import { CartPole, makeAlgorithm, RandomStreams, Trainer, trainConfig } from "softrl";

/**
 * The settings of the end-to-end runs: A2C's defaults for CartPole, without a schedule.
 * @param {number} environments
 * @param {number} seed
 */
export function cartPoleConfig(environments, seed) {
  return trainConfig({
    environments,
    seed,
    horizon: 5,
    schedule: "constant",
    steps: Number.MAX_SAFE_INTEGER,
    checkpointEvery: 0,
  });
}

/**
 * Training with everything that a run has (episode scores, events, checks for NaN) but a disk.
 * An iteration is one rollout and one update.
 * @param {import("softrl").Executor} executor
 * @param {ReturnType<typeof cartPoleConfig>} config
 * @returns {Promise<(iterations: number) => Promise<import("./measure.js").Block>>}
 */
export async function cartPoleTraining(executor, config) {
  const environment = new CartPole(config.environments);
  let episodes = 0;
  const trainer = new Trainer(config, {
    environment,
    algorithm: makeAlgorithm(config, environment, executor),
    store: {
      append(event) {
        if (event.event === "episode") episodes++;
      },
      writeCheckpoint() {},
    },
    clock: () => performance.now() / 1000,
  });
  await trainer.start();
  return async (iterations) => {
    const before = episodes;
    const began = performance.now();
    for (let i = 0; i < iterations; i++) await trainer.iterate();
    const seconds = (performance.now() - began) / 1000;
    const steps = iterations * config.environments * config.horizon;
    return { seconds, iterations, figures: { episodeLength: steps / Math.max(1, episodes - before) } };
  };
}

/**
 * The environment alone, with actions drawn before. An iteration is one step of all environments.
 * @param {number} size
 * @param {number} seed
 * @returns {(iterations: number) => void}
 */
export function cartPoleStepping(size, seed) {
  const environment = new CartPole(size);
  environment.reset(new RandomStreams(seed));
  const random = new RandomStreams(seed).stream("bench", "actions");
  const actions = Array.from({ length: 1024 }, () =>
    Int32Array.from({ length: size }, () => random.integer(2)),
  );
  let at = 0;
  return (iterations) => {
    for (let i = 0; i < iterations; i++) environment.step(actions[at++ & 1023]);
  };
}
