// @ts-check
import { MinAtar, RandomStreams } from "softrl";
import { compared, targetOf } from "./comparison.js";
import { measureAlternating, spread, timed } from "./measure.js";
import { peerSettings, training } from "./training.js";
import { drawnBatch, networks, tracedStep } from "./training-step.js";

/** The targets: millions of steps of one game per second on one core. */
const bars = /** @type {const} */ ([
  ["Asterix", 4],
  ["Breakout", 4],
  ["Freeway", 4],
  ["Seaquest", 4],
  ["SpaceInvaders", 2],
]);

/** @typedef {import("softrl").MinAtarGame} Game */

/**
 * One game alone, with precomputed actions. An iteration is one step of all environments.
 * @param {Game} game
 * @param {number} size
 * @param {number} seed
 * @returns {(iterations: number) => void}
 */
export function stepping(game, size, seed) {
  const environment = new MinAtar(game, size);
  environment.reset(new RandomStreams(seed));
  const random = new RandomStreams(seed).stream("bench", "actions");
  const actions = Array.from({ length: 1024 }, () =>
    Int32Array.from({ length: size }, () => random.integer(6)),
  );
  let at = 0;
  return (iterations) => {
    for (let i = 0; i < iterations; i++) environment.step(actions[at++ & 1023]);
  };
}

/**
 * @param {Game} game
 * @param {number} least
 * @returns {import("./rows.js").Row}
 */
function aloneRow(game, least) {
  const name = `minatar-${game.toLowerCase()}-alone`;
  return {
    name,
    async measure({ quick, seed, busy, plan }) {
      const environments = quick ? 4 : 64;
      const ours = { name: "softrl", run: timed(stepping(game, environments, seed)) };
      const measurements = await measureAlternating([ours], plan);
      const million = spread(measurements[0].samples.map((seconds) => environments / seconds / 1e6));
      const ratio = { ours: "softrl", peer: "10⁶ steps/s", of: /** @type {const} */ ("rate") };
      return {
        name,
        title: `MinAtar ${game} alone, S = ${environments}`,
        sizes: { environments, seed },
        unit: "steps/s",
        stepsPerIteration: environments,
        measurements,
        comparisons: [
          { ...ratio, ratio: million, best: million.most, ...targetOf(million.median, undefined, least) },
        ],
        checks: [],
        busy,
        missing: [],
      };
    },
  };
}

/**
 * The arithmetic of one iteration, on inputs in memory: one forward pass per step, one for the bootstrap, and the
 * update, which reuses the rollout's activations.
 * @param {import("softrl").Executor} executor
 * @param {number} environments
 * @param {number} horizon
 * @param {number} seed
 * @returns {(iterations: number) => void}
 */
function arithmetic(executor, environments, horizon, seed) {
  const batch = environments * horizon;
  const traced = tracedStep(networks.minatar, batch, horizon);
  const data = drawnBatch(networks.minatar, batch, seed);
  const programs = { step: traced.step, slice: traced.slice };
  const session = executor.load(programs, { of: "slice", into: "step", slices: horizon });
  const { step, slice } = session.programs;
  session.state(traced.theta).set(data.theta);
  const length = data.observations.length / horizon;
  const rollout = session.recorded.map((program, t) => {
    program.input("observations").set(data.observations.subarray(t * length, (t + 1) * length));
    return program;
  });
  slice.input("observations").set(data.observations.subarray(0, length));
  step.input("actions").set(data.actions);
  step.input("advantages").set(data.advantages);
  step.input("targets").set(data.targets);
  return (iterations) => {
    for (let i = 0; i < iterations; i++) {
      for (const program of rollout) program.run();
      slice.run();
      step.run();
    }
  };
}

/** The target for the time of training over the time of its parts. */
const mostOfParts = 1.25;

/**
 * A2C on one game from the environments to the optimiser, against the sum of the environments and the arithmetic alone.
 * @param {Game} game
 * @returns {import("./rows.js").Row}
 */
function trainingRow(game) {
  const name = `minatar-${game.toLowerCase()}-a2c`;
  const parts = ", sum of its parts";
  return {
    name,
    async measure({ executors, seed, busy, plan }) {
      const { environments, horizon } = peerSettings(`MinAtar/${game}-v1`);
      const contestants = [];
      for (const { name, threads, executor } of executors) {
        if (threads > 1) continue;
        const games = stepping(game, environments, seed);
        const compute = arithmetic(executor, environments, horizon, seed);
        contestants.push({
          name,
          run: await training(executor, new MinAtar(game, environments), seed),
        });
        contestants.push({
          name: name + parts,
          run: timed((iterations) => {
            games(iterations * horizon);
            compute(iterations);
          }),
        });
      }
      const measurements = await measureAlternating(contestants, plan);
      return {
        name,
        title: `MinAtar ${game} A2C end to end, S = ${environments}, n = ${horizon}`,
        sizes: { environments, horizon, algorithm: "a2c", seed },
        unit: "steps/s",
        stepsPerIteration: environments * horizon,
        measurements,
        comparisons: compared(
          measurements,
          [
            { ours: "native", peers: [`native${parts}`], of: "time", most: mostOfParts },
            { ours: "wasm", peers: [`wasm${parts}`], of: "time" },
          ],
          busy,
        ),
        checks: [],
        busy,
        missing: [],
      };
    },
  };
}

/** @type {readonly import("./rows.js").Row[]} */
export const minatarRows = [...bars.map(([game, least]) => aloneRow(game, least)), trainingRow("Breakout")];
