// @ts-check
import { availableParallelism } from "node:os";
import { createGymnasiumEnvironment, findPython } from "@softrl/gymnasium";
import { RandomStreams } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating } from "./measure.js";
import { loadedPeers, peerPython, threadVariables } from "./peers.js";
import { ppoChoice } from "./ppo.js";
import { dqnChoice } from "./q-learning.js";
import { requireSameWork, watchedTraining } from "./same-work.js";
import { peerSettings, training } from "./training.js";

const id = "PongNoFrameskip-v4";
const cores = availableParallelism();

/** @param {number} count */
const inThreads = (count) => (count === 1 ? "" : `, ${count} threads`);
/** @param {number} count */
const inProcesses = (count) => (count === 1 ? "" : `, ${count} processes`);
/** One, and the number of cores. */
const counts = cores === 1 ? [1] : [1, cores];

/** A Python with the packages for Atari; null if there is none. */
async function findAtariPython() {
  for (const python of [peerPython(), undefined]) {
    try {
      return (await findPython({ python, id })).path;
    } catch {}
  }
  return null;
}

/**
 * Steps all environments with precomputed actions. An iteration is one step of all environments.
 * @param {import("@softrl/gymnasium").GymnasiumEnvironment} environment
 * @param {number} seed
 */
async function stepping(environment, seed) {
  await environment.reset(new RandomStreams(seed));
  const random = new RandomStreams(seed).stream("bench", "actions");
  const actions = Array.from({ length: 1024 }, () =>
    Int32Array.from({ length: environment.size }, () => random.integer(environment.actionSpace.n)),
  );
  let at = 0;
  /** @param {number} iterations */
  return async (iterations) => {
    const began = performance.now();
    for (let i = 0; i < iterations; i++) await environment.step(actions[at++ & 1023]);
    return { seconds: (performance.now() - began) / 1000, iterations };
  };
}

/**
 * Pong alone: softrl's bridge, stepped from Node, against AtariVectorEnv in its own Python.
 * @type {import("./rows.js").Row}
 */
const bridgeRow = {
  name: "atari-bridge",
  async measure({ peers, quick, seed, busy, plan }) {
    const size = quick ? 4 : 16;
    const python = await findAtariPython();
    const environments = [];
    const ours = [];
    try {
      for (const transport of /** @type {const} */ (["shared memory", "stdio"])) {
        for (const processes of python === null ? [] : counts) {
          const options = { id, size, training: true, python: python ?? "", processes, transport };
          const environment = await createGymnasiumEnvironment(options);
          environments.push(environment);
          const name = `softrl, ${environment.transport}${inProcesses(processes)}`;
          if (environment.transport !== transport) continue;
          ours.push({ name, run: await stepping(environment, seed) });
        }
      }
      const theirs = await loadedPeers(
        peers,
        counts.map((threads) => ({
          name: `AtariVectorEnv${inThreads(threads)}`,
          needs: ["ale_py", "gymnasium"],
          work: "atari_vector_env",
          spec: { environments: size, seed, threads },
          variables: threadVariables(1),
        })),
      );
      try {
        const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
        return {
          name: "atari-bridge",
          title: `Pong alone, S = ${size}, precomputed actions`,
          sizes: { environments: size, seed },
          unit: "steps/s",
          stepsPerIteration: size,
          measurements,
          comparisons: compared(
            measurements,
            counts.flatMap((count) =>
              /** @type {const} */ (["shared memory", "stdio"]).map((transport) => ({
                ours: `softrl, ${transport}${inProcesses(count)}`,
                peers: [`AtariVectorEnv${inThreads(count)}`],
                of: /** @type {const} */ ("time"),
                ...(transport === "stdio" ? {} : { most: 1.03, quiet: count > 1 }),
              })),
            ),
            busy,
          ),
          checks: [],
          busy,
          missing: [...theirs.missing, ...(python === null ? ["softrl (a Python with ale-py)"] : [])],
        };
      } finally {
        for (const peer of theirs.loaded) await peer.end();
      }
    } finally {
      for (const environment of environments) await environment.close();
    }
  },
};

/** stable-baselines3 with both of its vector environments, each with one thread and with two. */
const baselines = ["DummyVecEnv", "SubprocVecEnv"].flatMap((vector) =>
  [1, 2].map((threads) => ({
    name: `stable-baselines3, ${vector}${inThreads(threads)}`,
    needs: ["stable_baselines3", "ale_py"],
    vector,
    threads,
  })),
);

/**
 * An algorithm on Pong, from the emulators to the optimiser, against stable-baselines3.
 * @param {object} row
 * @param {string} row.name
 * @param {(quick: boolean, seed: number) => PongWork} row.work
 * @param {Readonly<Record<string, number>>} row.targets the least ratio for a contestant of softrl
 * @returns {import("./rows.js").Row}
 */
function pongRow({ name: rowName, work: workOf, targets }) {
  return {
    name: rowName,
    async measure({ executors, peers, quick, seed, busy, plan }) {
      const work = workOf(quick, seed);
      const python = await findAtariPython();
      const environments = [];
      const ours = [];
      /** @type {Record<string, unknown>} */
      let spec = {};
      try {
        for (const { name, executor, threads } of python === null ? [] : executors) {
          const environment = await createGymnasiumEnvironment({
            id,
            size: work.environments,
            training: true,
            python: python ?? "",
            // As in the softrl command.
            overlap: threads < cores,
          });
          environments.push(environment);
          const one = await work.training(executor, environment);
          ours.push({ name, run: one.run });
          spec = one.spec;
        }
        const theirs = await loadedPeers(
          ours.length === 0 ? null : peers,
          baselines.map(({ threads, vector, ...peer }) => ({
            ...peer,
            work: work.peer,
            spec: { ...spec, threads, vector },
            variables: threadVariables(threads),
          })),
        );
        const best = { peers: baselines.map(({ name }) => name), of: /** @type {const} */ ("rate") };
        try {
          const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
          work.check(measurements);
          return {
            name: rowName,
            title: work.title,
            sizes: work.sizes,
            unit: "steps/s",
            stepsPerIteration: work.stepsPerIteration,
            measurements,
            comparisons: compared(
              measurements,
              ["native", "native, 2 threads", "wasm", "wasm, 2 threads"].map((ours) => ({
                ours,
                ...best,
                ...(ours in targets ? { least: targets[ours] } : {}),
              })),
              busy,
            ),
            checks: [],
            busy,
            missing: [...theirs.missing, ...(python === null ? ["softrl (a Python with ale-py)"] : [])],
          };
        } finally {
          for (const peer of theirs.loaded) await peer.end();
        }
      } finally {
        for (const environment of environments) await environment.close();
      }
    },
  };
}

/**
 * What a row on Pong measures.
 * @typedef {object} PongWork
 * @property {string} title
 * @property {Readonly<Record<string, number | string>>} sizes
 * @property {number} environments
 * @property {number} stepsPerIteration
 * @property {string} peer the module in peers/
 * @property {(executor: import("softrl").Executor, environment: import("softrl").VectorEnvironment) => Promise<{ readonly run: import("./measure.js").Contestant["run"], readonly spec: Record<string, unknown> }>} training
 *   the training to measure, and what the peer needs to do the same
 * @property {(measurements: readonly import("./measure.js").Measurement[]) => void} check throws unless all did the same work
 */

/**
 * A2C: an iteration is a rollout and an update.
 * @param {boolean} quick
 * @param {number} seed
 * @returns {PongWork}
 */
function a2cOnPong(quick, seed) {
  const defaults = peerSettings(id);
  const environments = quick ? 4 : defaults.environments;
  const sizes = { ...defaults, environments, seed };
  const { horizon } = sizes;
  return {
    title: `Pong A2C end to end, S = ${environments}, n = ${horizon}`,
    sizes,
    environments,
    stepsPerIteration: environments * horizon,
    peer: "sb3_pong",
    training: async (executor, environment) => ({
      run: await training(executor, environment, seed),
      spec: sizes,
    }),
    check() {},
  };
}

/**
 * DQN with Dopamine's settings and an update every four steps: one step of four environments. An iteration is an update.
 * @param {boolean} quick
 * @param {number} seed
 * @returns {PongWork}
 */
function dqnOnPong(quick, seed) {
  const environments = 4;
  const trainEvery = 4;
  const replayStart = quick ? 100 : 1000;
  const choice = dqnChoice("dopamine-nature", { trainEvery, replayCapacity: 10_000, replayStart });
  const { batchSize, replayCapacity, targetEvery } = choice.settings.algorithm;
  return {
    title: `Pong DQN end to end, S = ${environments}, an update every ${trainEvery} steps`,
    sizes: { environments, trainEvery, batchSize, replayCapacity, replayStart, targetEvery, seed },
    environments,
    stepsPerIteration: trainEvery,
    peer: "sb3_dqn",
    async training(executor, environment) {
      const { run, trainer } = await watchedTraining({ ...choice, executor, environment }, seed, {
        loss: "qLoss",
        iteration: trainEvery,
        before: replayStart + 4 * trainEvery,
      });
      return { run, spec: { config: trainer.config } };
    },
    check: (measurements) => requireSameWork(measurements, { stepsPerUpdate: trainEvery }),
  };
}

/**
 * PPO: an iteration is a rollout and its updates.
 * @param {boolean} quick
 * @param {number} seed
 * @returns {PongWork}
 */
function ppoOnPong(quick, seed) {
  const environments = quick ? 4 : 8;
  const horizon = quick ? 8 : 128;
  const epochs = 4;
  const minibatches = 4;
  const iteration = environments * horizon;
  const choice = ppoChoice("atari", { horizon, epochs, minibatches });
  return {
    title: `Pong PPO end to end, S = ${environments}, n = ${horizon}`,
    sizes: { environments, horizon, epochs, minibatches, seed },
    environments,
    stepsPerIteration: iteration,
    peer: "sb3_ppo",
    async training(executor, environment) {
      const { run, trainer } = await watchedTraining({ ...choice, executor, environment }, seed, {
        loss: "policyLoss",
        iteration,
      });
      return { run, spec: { config: trainer.config } };
    },
    check: (measurements) =>
      requireSameWork(measurements, { stepsPerUpdate: iteration / (epochs * minibatches) }),
  };
}

/** @type {readonly import("./rows.js").Row[]} */
export const atariRows = [
  bridgeRow,
  pongRow({ name: "pong", work: a2cOnPong, targets: { native: 1.6, "native, 2 threads": 3 } }),
  pongRow({ name: "pong-dqn", work: dqnOnPong, targets: { native: 2 } }),
  pongRow({ name: "pong-ppo", work: ppoOnPong, targets: { native: 2 } }),
];
