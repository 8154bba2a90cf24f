// @ts-check
import { cartPoleConfig, cartPoleStepping, cartPoleTraining } from "./cart-pole.js";
import { judged } from "./comparison.js";
import { measureAlternating, timed } from "./measure.js";
import { drawnBatch, firstSamples, loadedStep, networks, tracedStep } from "./training-step.js";

/**
 * How the time of one kind of work grows with its size.
 * @typedef {object} Growth
 * @property {string} name
 * @property {"samples" | "environments"} over
 * @property {readonly Point[]} points
 * @property {number} growth cost of one sample at the largest size over the least cost at any size, by the best blocks
 * @property {string | null} bar
 * @property {boolean | null} met
 */

/** @typedef {{ readonly size: number, readonly seconds: import("./measure.js").Spread }} Point */

/** Linear means that a sample costs no more in a large batch than in the best one, with this much allowed. */
const allowedGrowth = 1.25;

/**
 * Time against batch and against environments, from 1 to 1024, one thread. The sizes alternate.
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
      cartPoleTraining(executor, cartPoleConfig(size, seed)),
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
  const growth = each[each.length - 1] / Math.min(...each);
  return { growth, ...judged(growth, allowedGrowth, undefined) };
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
