// @ts-check
import { a2c, CartPole, createWasmExecutor, loadPolicy, MemoryRunStore, RandomStreams, train } from "softrl";
import { targetOf } from "./comparison.js";
import { measureAlternating, spread } from "./measure.js";

const hiddenSizes = [64, 64];
/** Different observations, taken in turn. */
const observationCount = 1024;
/** The most microseconds at the median and at the 99th percentile, of the native executor. */
const bars = { p50: 1, p99: 10 };
/** The largest difference between two executors' log π of the same observation. */
const samePolicy = 1e-5;

/**
 * The time of one decision: `policy.act` for one observation of CartPole, each call timed on its own, clock included.
 * @param {"shared" | "separate"} bodies
 * @returns {import("./rows.js").Row}
 */
export function latencyRow(bodies) {
  const name = `latency-${bodies}`;
  return {
    name,
    async measure({ executors: all, seed, busy, plan }) {
      const executors = all.filter(({ threads }) => threads === 1);
      const checkpoint = await trained(bodies, seed);
      const observations = drawnObservations(seed);
      const contestants = executors.map(({ name, executor }) =>
        decisions(name, executor, checkpoint, observations),
      );
      const checks = policyChecks(contestants, observations);
      const measurements = await measureAlternating(contestants, plan);
      return {
        name,
        title: `One decision, MLP 4-64-64, ${bodies} bod${bodies === "shared" ? "y" : "ies"}`,
        sizes: { observation: 4, actions: 2, hiddenSizes: hiddenSizes.join("×"), bodies, seed },
        unit: "µs",
        stepsPerIteration: 0,
        measurements,
        comparisons: contestants.flatMap(({ name, percentiles }) =>
          /** @type {const} */ (["p50", "p99"]).map((which) => {
            const microseconds = spread(percentiles.slice(-plan.rounds).map((block) => block[which] * 1e6));
            const target = targetOf(
              microseconds.median,
              name === "native" ? bars[which] : undefined,
              undefined,
            );
            return {
              ours: name,
              peer: `1 µs, ${which}`,
              of: /** @type {const} */ ("time"),
              ratio: microseconds,
              best: microseconds.least,
              ...target,
            };
          }),
        ),
        checks,
        busy,
        missing: [],
      };
    },
  };
}

/**
 * The checkpoint of a short training.
 * @param {"shared" | "separate"} bodies
 * @param {number} seed
 */
async function trained(bodies, seed) {
  const store = new MemoryRunStore();
  await train({
    algorithm: a2c,
    environment: new CartPole(8),
    executor: await createWasmExecutor(),
    settings: { run: { steps: 1000, seed }, algorithm: { bodies }, network: { hiddenSizes } },
    store,
  });
  if (store.checkpoint === null) throw new Error("bench: the training wrote no checkpoint");
  return store.checkpoint;
}

/** @param {number} seed */
function drawnObservations(seed) {
  const random = new RandomStreams(seed).stream("observations");
  return Array.from({ length: observationCount }, () =>
    Float32Array.from({ length: 4 }, () => random.uniform(-1, 1)),
  );
}

/**
 * @typedef {object} Percentiles
 * @property {number} p50 seconds
 * @property {number} p99
 */

/**
 * A contestant whose blocks leave the percentiles of their calls behind.
 * @param {string} name
 * @param {import("softrl").Executor} executor
 * @param {Uint8Array} checkpoint
 * @param {readonly Float32Array[]} observations
 */
function decisions(name, executor, checkpoint, observations) {
  const policy = loadPolicy(checkpoint, executor);
  const actions = new Int32Array(1);
  /** @type {Percentiles[]} */
  const percentiles = [];
  return {
    name,
    policy,
    percentiles,
    /** @param {number} iterations */
    run(iterations) {
      const times = new Float64Array(iterations);
      const began = performance.now();
      for (let i = 0; i < iterations; i++) {
        const before = performance.now();
        policy.act(observations[i % observationCount], actions, "mode");
        times[i] = performance.now() - before;
      }
      const seconds = (performance.now() - began) / 1000;
      times.sort();
      /** @param {number} part */
      const at = (part) => times[Math.min(iterations - 1, Math.floor(part * iterations))] / 1000;
      const block = { p50: at(0.5), p99: at(0.99) };
      percentiles.push(block);
      return { seconds, iterations, figures: { ...block } };
    },
  };
}

/**
 * Every executor must compute the same policy as the first.
 * @param {readonly ReturnType<typeof decisions>[]} contestants
 * @param {readonly Float32Array[]} observations
 * @returns {import("./rows.js").Check[]}
 */
function policyChecks([first, ...others], observations) {
  return others.map(({ name, policy }) => {
    let difference = 0;
    for (const observation of observations) {
      const expected = first.policy.evaluate(observation).logPi;
      const got = policy.evaluate(observation).logPi;
      for (const [a, value] of expected.entries())
        difference = Math.max(difference, Math.abs(got[a] - value));
    }
    if (!(difference <= samePolicy)) {
      throw new Error(
        `bench: log π of ${name} and ${first.name} differ; expected at most ${samePolicy}, got ${difference}`,
      );
    }
    return { what: `log π of ${name} against ${first.name}`, difference };
  });
}
