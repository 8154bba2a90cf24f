// @ts-check
import { CartPole, RandomStreams } from "softrl";
import { peerSettings, training } from "./training.js";

/**
 * {@link training} that also reports the mean length of its episodes.
 * @param {import("softrl").Executor} executor
 * @param {number} environments
 * @param {number} seed
 * @returns {Promise<(iterations: number) => Promise<import("./measure.js").Block>>}
 */
export async function cartPoleTraining(executor, environments, seed) {
  const environment = new CartPole(environments);
  const { horizon } = peerSettings(environment.id);
  let episodes = 0;
  const run = await training(executor, environment, seed, ({ event }) => {
    if (event === "episode") episodes++;
  });
  return async (iterations) => {
    const before = episodes;
    const block = await run(iterations);
    const steps = iterations * environments * horizon;
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
