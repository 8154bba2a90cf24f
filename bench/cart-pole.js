// @ts-check
import { CartPole, RandomStreams, trainConfig } from "softrl";
import { training } from "./training.js";

/**
 * The settings of the end-to-end runs: A2C's defaults for CartPole with a constant learning rate.
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
 * {@link training} that also reports the mean length of its episodes.
 * @param {import("softrl").Executor} executor
 * @param {ReturnType<typeof cartPoleConfig>} config
 * @returns {Promise<(iterations: number) => Promise<import("./measure.js").Block>>}
 */
export async function cartPoleTraining(executor, config) {
  let episodes = 0;
  const run = await training(executor, config, new CartPole(config.environments), ({ event }) => {
    if (event === "episode") episodes++;
  });
  return async (iterations) => {
    const before = episodes;
    const block = await run(iterations);
    const steps = iterations * config.environments * config.horizon;
    return { ...block, figures: { episodeLength: steps / Math.max(1, episodes - before) } };
  };
}

/**
 * The environment alone, with precomputed actions. An iteration is one step of all environments.
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
