// @ts-check
import { builtInAlgorithms, environmentFamily, environmentIds, exactEnvironmentIds } from "softrl";

/**
 * A small run: its name, and the arguments of `softrl train`.
 * @typedef {object} Configuration
 * @property {string} name
 * @property {readonly string[]} args
 */

/** Real ones, each with its Python process. */
const gymnasiumIds = ["CartPole-v0", "ALE/Pong-v5"];

/** What makes an algorithm learn in so short a run, where its defaults do not. @type {Readonly<Record<string, readonly (readonly [string, number])[]>>} */
const small = {
  npg: [["--horizon", 10]],
  ppo: [["--horizon", 16]],
  dqn: [
    ["--replay-start", 50],
    ["--replay-capacity", 80],
    ["--exploration-steps", 50],
    ["--batch-size", 4],
    ["--train-every", 8],
    ["--target-every", 3],
  ],
  pqn: [
    ["--horizon", 8],
    ["--minibatches", 2],
  ],
};

/** Every algorithm on every built-in environment. @type {readonly Configuration[]} */
export const configurations = builtInAlgorithms.flatMap(({ name }, a) =>
  environmentIds.map((id, e) => configuration(name, id, a + e)),
);

/** Every algorithm on real Gymnasium environments. @type {readonly Configuration[]} */
export const gymnasiumConfigurations = builtInAlgorithms.flatMap(({ name }, a) =>
  gymnasiumIds.map((id, e) => configuration(name, id, a + e)),
);

/** @param {string} algorithm @param {string} id @param {number} variant @returns {Configuration} */
function configuration(algorithm, id, variant) {
  const family = environmentFamily(id);
  const isPolicyGradient = !["dqn", "pqn"].includes(algorithm);
  const isExact = exactEnvironmentIds.some((exact) => exact === id);
  const [steps, checkpointEvery, logEvery] = family === "vector" ? [400, 90, 60] : [120, 40, 30];
  const options = [
    ["--steps", steps],
    ["--checkpoint-every", checkpointEvery],
    ["--log-every", logEvery],
    ["--envs", 2],
    ...(small[algorithm] ?? []),
    ...(algorithm === "dqn" ? [["--replay", variant % 2 === 0 ? "uniform" : "prioritised"]] : []),
    ["--seed", variant],
    ...(variant % 2 === 0
      ? [
          ["--evaluate-every", checkpointEvery],
          ["--evaluation-episodes", 2],
          ["--evaluation-max-steps", 30],
        ]
      : []),
    ...(isExact && isPolicyGradient && variant % 3 !== 0 && id !== "Taxi-v4"
      ? [["--oracle-every", 150]]
      : []),
    ...(variant % 4 === 1 ? [["--executor", "wasm"]] : []),
    ...(variant % 3 === 1 && isPolicyGradient && algorithm !== "npg"
      ? [["--normalise-returns", "true"]]
      : []),
    ...(variant % 5 === 2 ? [["--optimiser", "rmsprop"]] : []),
  ];
  const args = ["train", "--algorithm", algorithm, "--env", id, ...options.flat().map(String)];
  return { name: `${algorithm} on ${id}`, args };
}
