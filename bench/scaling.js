// @ts-check
import { plainSweeps, smallest, stateValues, sweepsFrom } from "softrl";
import { cartPoleStepping, cartPoleTraining } from "./cart-pole.js";
import { targetOf } from "./comparison.js";
import { measureAlternating, timed } from "./measure.js";
import { drawnProblem } from "./sweeps.js";
import { drawnBatch, firstSamples, loadedStep, networks, tracedStep } from "./training-step.js";

/**
 * The growth of the time of one kind of work with its size.
 * @typedef {object} Growth
 * @property {string} name
 * @property {"samples" | "environments" | "transitions"} over
 * @property {readonly Point[]} points
 * @property {number} growth cost of one sample at the largest size over the least cost at any size, from the fastest
 *   blocks; for transitions the exponent e of time ∝ size^e, because from 10⁴ to 10⁶ states the data outgrow the caches
 * @property {string | null} bar the target
 * @property {boolean | null} met
 */

/** @typedef {{ readonly size: number, readonly seconds: import("./measure.js").Spread }} Point */

/** The target for growth: at the largest size, a sample may cost this many times the least. */
const allowedGrowth = 1.25;

/** The target for the exponent. */
const allowedExponent = 1.15;

/**
 * Time of a sweep of value iteration against transitions: 10⁴ to 10⁶ states with 20 transitions each, one thread.
 * @param {import("./rows.js").Context} context
 * @returns {Promise<Growth[]>}
 */
export async function measureSweepScaling({ quick, seed, plan }) {
  const sizes = (quick ? [300, 1000, 3000] : [10_000, 30_000, 100_000, 300_000, 1_000_000]).map((states) => {
    const problem = drawnProblem(states, seed);
    return { problem, transitions: problem.mdp.successors.length };
  });
  /** @type {Growth[]} */
  const growths = [];
  for (const [name, sweeps] of /** @type {const} */ ([
    ["wasm", sweepsFrom],
    ["TypeScript", plainSweeps],
  ])) {
    const contestants = sizes.map(({ problem, transitions }) => {
      const running = sweeps(problem, stateValues(new Float64Array(problem.mdp.states)), "jacobi");
      const run = timed((iterations) => {
        for (let i = 0; i < iterations; i++) running.sweep();
      });
      return { name: String(transitions), run };
    });
    const measurements = await measureAlternating(contestants, plan);
    const points = measurements.map(({ name, seconds }) => ({ size: Number(name), seconds }));
    const growth = exponent(points);
    growths.push({
      name: `soft value iteration, ${name}`,
      over: "transitions",
      points,
      growth,
      ...targetOf(growth, allowedExponent, undefined),
    });
  }
  return growths;
}

/**
 * The exponent e of time ∝ size^e, by least squares on the logarithms of the fastest blocks.
 * @param {readonly Point[]} points
 */
function exponent(points) {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ seconds }) => Math.log(seconds.least));
  /** @param {readonly number[]} numbers */
  const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [xMean, yMean] = [mean(x), mean(y)];
  const along = x.reduce((sum, xi, i) => sum + (xi - xMean) * (y[i] - yMean), 0);
  return along / x.reduce((sum, xi) => sum + (xi - xMean) ** 2, 0);
}

/**
 * Time against batch size or number of environments, from 1 to 1024, on one thread. The sizes alternate.
 * @param {import("./rows.js").Context} context
 * @returns {Promise<Growth[]>}
 */
export async function measureScaling({ executors, quick, seed, plan }) {
  const sizes = quick ? [1, 2, 4] : Array.from({ length: 11 }, (_, power) => 2 ** power);
  const shorter = { blockSeconds: plan.blockSeconds / 3, rounds: Math.ceil(plan.rounds / 2) };
  const largest = sizes[sizes.length - 1];
  /** @type {Growth[]} */
  const growths = [];
  /**
   * @param {string} name
   * @param {"samples" | "environments"} over
   * @param {(size: number) => import("./measure.js").Contestant["run"] | Promise<import("./measure.js").Contestant["run"]>} work
   */
  const grow = async (name, over, work) => {
    const contestants = [];
    for (const size of sizes) contestants.push({ name: String(size), run: await work(size) });
    const measurements = await measureAlternating(contestants, shorter);
    const points = measurements.map(({ name, seconds }) => ({ size: Number(name), seconds }));
    growths.push({ name, over, points, ...linearity(points) });
  };

  const single = executors.filter(({ threads }) => threads === 1);
  for (const { name: executorName, executor } of single) {
    for (const network of Object.values(networks)) {
      const data = drawnBatch(network, largest, seed);
      await grow(`${network.name} step, ${executorName}`, "samples", (batch) => {
        const { run } = loadedStep(executor, tracedStep(network, batch), firstSamples(data, batch), "step");
        return timed((iterations) => {
          for (let i = 0; i < iterations; i++) run();
        });
      });
    }
    await grow(`CartPole A2C, ${executorName}`, "environments", (size) =>
      cartPoleTraining(executor, size, seed),
    );
  }
  await grow("CartPole alone", "environments", (size) => timed(cartPoleStepping(size, seed)));
  return growths;
}

/**
 * @param {readonly Point[]} points
 */
function linearity(points) {
  const each = points.map(({ size, seconds }) => seconds.least / size);
  const growth = each[each.length - 1] / smallest(each);
  return { growth, ...targetOf(growth, allowedGrowth, undefined) };
}

/**
 * @param {readonly Growth[]} growths
 * @returns {string}
 */
export function scalingCsv(growths) {
  const lines = growths.flatMap(({ name, over, points }) =>
    points.map(({ size, seconds }) =>
      [
        JSON.stringify(name),
        over,
        size,
        ...[seconds.least, seconds.median, seconds.low, seconds.high].map((s) => s.toExponential(4)),
      ].join(","),
    ),
  );
  return `${["work,over,size,best_seconds,median_seconds,lower_quartile,upper_quartile", ...lines].join("\n")}\n`;
}
