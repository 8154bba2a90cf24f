// @ts-check
import { makeAlgorithm, Trainer } from "softrl";

/**
 * Training with everything that a run does except writing files. An iteration is one rollout and one update.
 * @param {import("softrl").Executor} executor
 * @param {import("softrl").TrainConfig} config
 * @param {import("softrl").VectorEnvironment} environment
 * @param {(event: import("softrl").RunEvent) => void} [onEvent]
 * @returns {Promise<(iterations: number) => Promise<import("./measure.js").Block>>}
 */
export async function training(executor, config, environment, onEvent = () => {}) {
  const trainer = new Trainer(config, {
    environment,
    algorithm: makeAlgorithm(config, environment, executor),
    store: { append: onEvent, writeCheckpoint() {} },
    clock: () => performance.now() / 1000,
  });
  await trainer.start();
  return async (iterations) => {
    const began = performance.now();
    for (let i = 0; i < iterations; i++) await trainer.iterate();
    return { seconds: (performance.now() - began) / 1000, iterations };
  };
}
