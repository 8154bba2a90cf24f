// @ts-check
import { CartPole, dqn, dqnPresets, MinAtar, pqn, valueAt } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating, timed } from "./measure.js";
import { stepping } from "./minatar.js";
import { loadedPeers, trainingPeer } from "./peers.js";
import { requireSameWork, watchedTraining, watchedTrainings } from "./same-work.js";
import { hyperParameters } from "./training-step.js";

/** ε of every contestant: constant, so that all act from the first update on as they do later. */
const epsilon = 0.1;

const game = "Breakout";
const baselines = "stable-baselines3";
const torch = "PyTorch (CleanRL)";
const ofParts = ", sum of its parts";

/** The target for the time of training over the time of its parts: 15 % of it, at most, is neither, and 1/0.85 = 1.176. */
const mostOfParts = 1.176;

/**
 * DQN with published settings, except for the size of the replay, its start and ε. ε of RMSProp is outside the square
 * root, as in PyTorch.
 * @param {keyof typeof dqnPresets} preset
 * @param {{ trainEvery: number, replayCapacity: number, replayStart: number }} own
 */
export function dqnChoice(preset, own) {
  const { optimiser, settings } = dqnPresets[preset];
  return {
    algorithm: dqn,
    optimiser,
    settings: {
      optimiser: { ...settings.optimiser, epsilonPlace: "outside" },
      algorithm: { ...settings.algorithm, ...own, epsilon, explorationSteps: 0 },
    },
  };
}

/**
 * DQN on MinAtar with Young and Tian's network and settings, from the game to the optimiser, against the sum of its parts
 * and against stable-baselines3. An iteration is one update and the steps before it.
 * @param {number} trainEvery
 * @returns {import("./rows.js").Row}
 */
function dqnRow(trainEvery) {
  const name = `minatar-${game.toLowerCase()}-dqn-${trainEvery}`;
  return {
    name,
    async measure({ executors, peers, quick, seed, busy, plan }) {
      const replayStart = quick ? 100 : 1000;
      const choice = dqnChoice("young-tian", { trainEvery, replayCapacity: 100_000, replayStart });
      /** @param {import("softrl").Executor} executor */
      const choose = (executor) => ({ ...choice, executor, environment: new MinAtar(game, 1) });
      // Every contestant makes updates from its first block on.
      const sizes = { loss: "qLoss", iteration: trainEvery, before: replayStart + 4 * trainEvery };
      const { ours, config } = await watchedTrainings(executors, choose, seed, sizes);
      const parts = [];
      for (const { name, threads, executor } of executors) {
        if (threads > 1) continue;
        const games = stepping(game, 1, seed);
        const { session } = await watchedTraining(choose(executor), seed, sizes);
        const compute = arithmetic(session(), trainEvery);
        const run = timed((iterations) => {
          games(iterations * trainEvery);
          compute(iterations);
        });
        parts.push({ name: name + ofParts, run });
      }
      const theirs = await loadedPeers(peers, [
        trainingPeer(baselines, ["stable_baselines3"], "sb3_dqn", config),
      ]);
      try {
        const measurements = await measureAlternating([...ours, ...parts, ...theirs.loaded], plan);
        requireSameWork(measurements, { stepsPerUpdate: trainEvery });
        const { batchSize, replayCapacity, targetEvery } = choice.settings.algorithm;
        return {
          name,
          title: `MinAtar ${game} DQN end to end, an update every ${trainEvery === 1 ? "frame" : `${trainEvery} frames`}`,
          sizes: { environments: 1, trainEvery, batchSize, replayCapacity, replayStart, targetEvery, seed },
          unit: "steps/s",
          stepsPerIteration: trainEvery,
          measurements,
          comparisons: compared(
            measurements,
            [
              { ours: "native", peers: [baselines], of: "rate", least: 10 },
              { ours: "wasm", peers: [baselines], of: "rate" },
              { ours: "native", peers: [`native${ofParts}`], of: "time", most: mostOfParts },
              { ours: "wasm", peers: [`wasm${ofParts}`], of: "time" },
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
}

/**
 * The arithmetic of one iteration: a forward pass for each step and one update, on the inputs that are in memory.
 * @param {import("softrl").Session} session
 * @param {number} trainEvery
 * @returns {(iterations: number) => void}
 */
function arithmetic({ programs: { evaluate, update } }, trainEvery) {
  update.input("learningRate")[0] = hyperParameters.learningRate;
  return (iterations) => {
    for (let i = 0; i < iterations; i++) {
      for (let t = 0; t < trainEvery; t++) evaluate.run();
      update.run();
    }
  };
}

/**
 * PQN from the environments to the optimiser, against PyTorch. An iteration is one rollout and its updates.
 * @param {object} row
 * @param {string} row.name
 * @param {string} row.title
 * @param {"vector" | "minatar"} row.family
 * @param {(size: number) => import("softrl").VectorEnvironment} row.make
 * @param {Readonly<Record<"environments" | "horizon" | "epochs" | "minibatches", number>>} row.sizes
 * @param {readonly import("./comparison.js").Bar[]} row.bars
 * @returns {import("./rows.js").Row}
 */
function pqnRow({ name, title, family, make, sizes: full, bars }) {
  return {
    name,
    async measure({ executors, peers, quick, seed, busy, plan }) {
      const sizes = quick ? { ...full, environments: 4, horizon: 8, minibatches: 2 } : full;
      const { environments, horizon, epochs, minibatches } = sizes;
      const iteration = environments * horizon;
      const settings = {
        optimiser: { learningRate: firstLearningRate(family) },
        algorithm: { horizon, epochs, minibatches, epsilon },
        ...(family === "vector" ? { network: { inputs: "raw" } } : {}),
      };
      const { ours, config } = await watchedTrainings(
        executors,
        (executor) => ({ algorithm: pqn, environment: make(environments), executor, settings }),
        seed,
        { loss: "loss", iteration },
      );
      const needs = family === "vector" ? ["torch", "gymnasium"] : ["torch"];
      const theirs = await loadedPeers(peers, [trainingPeer(torch, needs, "torch_pqn", config)]);
      try {
        const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
        requireSameWork(measurements, { stepsPerUpdate: iteration / (epochs * minibatches) });
        return {
          name,
          title: `${title} PQN end to end, S = ${environments}, n = ${horizon}`,
          sizes: { ...sizes, seed },
          unit: "steps/s",
          stepsPerIteration: iteration,
          measurements,
          comparisons: compared(measurements, bars, busy),
          checks: [],
          busy,
          missing: theirs.missing,
        };
      } finally {
        for (const peer of theirs.loaded) await peer.end();
      }
    },
  };
}

/**
 * The learning rate that PQN begins with.
 * @param {"vector" | "minatar"} family
 */
function firstLearningRate(family) {
  const rate = pqn.defaults?.(family).optimiser?.learningRate;
  return valueAt(/** @type {import("softrl").LiveNumber} */ (rate), 0, 1);
}

/** @param {string} peer @param {number} [least] */
const against = (peer, least) => [
  {
    ours: "native",
    peers: [peer],
    of: /** @type {const} */ ("rate"),
    ...(least === undefined ? {} : { least }),
  },
  { ours: "wasm", peers: [peer], of: /** @type {const} */ ("rate") },
];

/** @type {readonly import("./rows.js").Row[]} */
export const qLearningRows = [
  dqnRow(1),
  dqnRow(4),
  pqnRow({
    name: "cartpole-pqn",
    title: "CartPole",
    family: "vector",
    make: (size) => new CartPole(size),
    // The defaults, which are those of Gallici et al.
    sizes: { environments: 32, horizon: 64, epochs: 4, minibatches: 16 },
    bars: against(torch, 20),
  }),
  pqnRow({
    name: "cartpole-pqn-cleanrl",
    title: "CartPole",
    family: "vector",
    make: (size) => new CartPole(size),
    // CleanRL's.
    sizes: { environments: 4, horizon: 128, epochs: 4, minibatches: 4 },
    bars: against(torch, 20),
  }),
  pqnRow({
    name: "minatar-breakout-pqn",
    title: `MinAtar ${game}`,
    family: "minatar",
    make: (size) => new MinAtar(game, size),
    sizes: { environments: 128, horizon: 32, epochs: 2, minibatches: 32 },
    bars: against(torch),
  }),
];
