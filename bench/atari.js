// @ts-check
import { availableParallelism } from "node:os";
import { createGymnasiumEnvironment, findPython } from "@softrl/gymnasium";
import { RandomStreams } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating } from "./measure.js";
import { loadedPeers, peerPython, threadVariables } from "./peers.js";
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
    work: "sb3_pong",
    vector,
    threads,
  })),
);

/**
 * A2C on Pong, from the emulators to the optimiser, against stable-baselines3.
 * @type {import("./rows.js").Row}
 */
const pongRow = {
  name: "pong",
  async measure({ executors, peers, quick, seed, busy, plan }) {
    const defaults = peerSettings(id);
    const size = quick ? 4 : defaults.environments;
    const settings = { ...defaults, environments: size, seed };
    const { horizon } = settings;
    const python = await findAtariPython();
    const environments = [];
    const ours = [];
    try {
      for (const { name, executor, threads } of python === null ? [] : executors) {
        const environment = await createGymnasiumEnvironment({
          id,
          size,
          training: true,
          python: python ?? "",
          // As in the softrl command.
          overlap: threads < cores,
        });
        environments.push(environment);
        ours.push({ name, run: await training(executor, environment, seed) });
      }
      const theirs = await loadedPeers(
        peers,
        baselines.map(({ threads, vector, ...peer }) => ({
          ...peer,
          spec: { ...settings, threads, vector },
          variables: threadVariables(threads),
        })),
      );
      const best = { peers: baselines.map(({ name }) => name), of: /** @type {const} */ ("rate") };
      try {
        const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
        return {
          name: "pong",
          title: `Pong A2C end to end, S = ${size}, n = ${horizon}`,
          sizes: settings,
          unit: "steps/s",
          stepsPerIteration: size * horizon,
          measurements,
          comparisons: compared(
            measurements,
            [
              { ours: "native", ...best, least: 1.6 },
              { ours: "native, 2 threads", ...best, least: 3 },
              { ours: "wasm", ...best },
              { ours: "wasm, 2 threads", ...best },
            ],
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

export const atariRows = [bridgeRow, pongRow];
