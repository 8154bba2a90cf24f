// @ts-check
import { CartPole, ppo, valueAt } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating } from "./measure.js";
import { loadedPeers, trainingPeer } from "./peers.js";
import { requireSameWork, watchedTrainings } from "./same-work.js";

const baselines = "stable-baselines3";

/**
 * PPO with its default settings, which are CleanRL's, except for what stable-baselines3's PPO does not have: the learning
 * rate is constant, and observations and returns of vectors are not normalised.
 * @param {"vector" | "atari"} family
 * @param {{ readonly horizon: number, readonly epochs: number, readonly minibatches: number }} sizes
 */
export function ppoChoice(family, sizes) {
  const rate = ppo.defaults?.(family).optimiser?.learningRate;
  return {
    algorithm: ppo,
    settings: {
      optimiser: { learningRate: valueAt(/** @type {import("softrl").LiveNumber} */ (rate), 0, 1) },
      algorithm: { ...sizes, ...(family === "vector" ? { normaliseReturns: false } : {}) },
      ...(family === "vector" ? { network: { inputs: "raw" } } : {}),
    },
  };
}

/**
 * PPO on CartPole, from the environments to the optimiser, against stable-baselines3. An iteration is one rollout and its
 * updates.
 * @type {import("./rows.js").Row}
 */
const cartPoleRow = {
  name: "cartpole-ppo",
  async measure({ executors, peers, quick, seed, busy, plan }) {
    const environments = 4;
    const horizon = quick ? 16 : 128;
    const epochs = 4;
    const minibatches = 4;
    const iteration = environments * horizon;
    const choice = ppoChoice("vector", { horizon, epochs, minibatches });
    const { ours, config } = await watchedTrainings(
      executors,
      (executor) => ({ ...choice, environment: new CartPole(environments), executor }),
      seed,
      { loss: "policyLoss", iteration },
    );
    const theirs = await loadedPeers(peers, [
      trainingPeer(baselines, ["stable_baselines3"], "sb3_ppo", config),
    ]);
    try {
      const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
      requireSameWork(measurements, { stepsPerUpdate: iteration / (epochs * minibatches) });
      return {
        name: "cartpole-ppo",
        title: `CartPole PPO end to end, S = ${environments}, n = ${horizon}`,
        sizes: { environments, horizon, epochs, minibatches, seed },
        unit: "steps/s",
        stepsPerIteration: iteration,
        measurements,
        comparisons: compared(
          measurements,
          [
            { ours: "native", peers: [baselines], of: "rate", least: 20 },
            { ours: "wasm", peers: [baselines], of: "rate" },
          ],
          busy,
        ),
        checks: [],
        busy,
        missing: theirs.missing,
      };
    } finally {
      for (const peer of theirs.loaded) await peer.end();
    }
  },
};

/** @type {readonly import("./rows.js").Row[]} */
export const ppoRows = [cartPoleRow];
