// @ts-check
import { atariRows } from "./atari.js";
import { cartPoleStepping, cartPoleTraining } from "./cart-pole.js";
import { compared, targetOf } from "./comparison.js";
import { reference } from "./executors.js";
import { latencyRow } from "./latency.js";
import { measureAlternating, spread, timed } from "./measure.js";
import { minatarRows } from "./minatar.js";
import { encoded, keptMemory, loadedPeers, threadVariables } from "./peers.js";
import { ppoRows } from "./ppo.js";
import { qLearningRows } from "./q-learning.js";
import { sweepRow } from "./sweeps.js";
import { peerSettings } from "./training.js";
import {
  drawnBatch,
  firstSamples,
  hyperParameters,
  loadedStep,
  networks,
  tracedStep,
} from "./training-step.js";

/**
 * The parameters of a measurement.
 * @typedef {object} Context
 * @property {readonly import("./executors.js").Found[]} executors
 * @property {import("./peers.js").PeerVersions | null} peers
 * @property {boolean} quick
 * @property {number} seed
 * @property {number} busy cores that other programs used just before
 * @property {{ readonly blockSeconds: number, readonly rounds: number }} plan
 */

/**
 * The results of one row.
 * @typedef {object} RowResult
 * @property {string} name
 * @property {string} title
 * @property {Readonly<Record<string, number | string>>} sizes
 * @property {"ms" | "µs" | "steps/s"} unit
 * @property {number} stepsPerIteration environment steps per iteration; 0 if the unit is one of time
 * @property {readonly import("./measure.js").Measurement[]} measurements
 * @property {readonly import("./comparison.js").Comparison[]} comparisons
 * @property {readonly Check[]} checks
 * @property {number} busy cores that other programs used just before
 * @property {readonly string[]} missing peers that could not be loaded
 */

/**
 * A check that two contestants compute the same result.
 * @typedef {object} Check
 * @property {string} what
 * @property {number} difference ‖a − b‖ / ‖b‖
 */

/**
 * @typedef {object} Row
 * @property {string} name the name on the command line
 * @property {boolean} [relaxed] whether the context's executors include `wasm-relaxed`
 * @property {(context: Context) => Promise<RowResult>} measure
 */

const cleanrl = "PyTorch (CleanRL)";
const tuned = "PyTorch (tuned)";
const twoThreads = ", 2 threads";
const activationsKept = ", activations kept";

/**
 * The largest relative difference at which two gradients count as equal. Float32 rounding alone gives 1e-6; a single
 * ReLU that rounding moves to the other side of zero gives 1e-3, so only a few samples are compared.
 */
const sameGradient = 1e-2;
const comparedSamples = 8;

/**
 * A training step or a forward pass of one network.
 * @param {object} row
 * @param {string} row.name
 * @param {keyof typeof networks} row.network
 * @param {"step" | "forward"} row.kind
 * @param {number} row.batch
 * @param {readonly number[]} [row.threads] thread counts for PyTorch and WebAssembly; two only if that is faster
 * @param {boolean} [row.relaxed] also measures the executor `wasm-relaxed`
 * @param {number} [row.slices] also measures a step that reuses the activations of a rollout of this many steps
 * @param {readonly import("./comparison.js").Bar[]} row.bars
 * @returns {Row}
 */
function networkRow({
  name,
  network: networkName,
  kind,
  batch: fullBatch,
  threads = [1],
  relaxed = false,
  slices = 1,
  bars,
}) {
  return {
    name,
    relaxed,
    async measure({ executors: all, peers, quick, seed, busy, plan }) {
      const executors = atThreads(all, threads);
      const network = networks[networkName];
      const batch = quick ? 4 * slices : fullBatch;
      const traced = tracedStep(network, batch);
      const kept = tracedStep(network, batch, slices);
      const data = drawnBatch(network, batch, seed);
      const ours = executors.flatMap(({ name, executor }) =>
        (slices === 1 ? [traced] : [traced, kept]).map((one) => {
          const { run } = loadedStep(executor, one, data, kind);
          return {
            name: one === traced ? name : name + activationsKept,
            run: timed((iterations) => repeat(run, iterations)),
          };
        }),
      );
      const theirs = await loadedPeers(peers, torchPeers(network, kind, batch, threads, data));
      try {
        const checks = await gradientChecks({ executors, data, theirs: theirs.loaded, network, slices });
        const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
        return {
          name,
          title: `${network.name} ${kind}, B = ${batch}`,
          sizes: {
            batch,
            observation: network.observationShape.join("×"),
            actions: network.actions,
            parameters: traced.parameters.size,
            ...(kind === "step" ? { loss: "A2C", optimiser: "RMSProp", ...hyperParameters } : {}),
          },
          unit: "ms",
          stepsPerIteration: 0,
          measurements,
          comparisons: compared(measurements, bars, busy),
          checks,
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
 * The WebAssembly executors with these thread counts, and all other executors.
 * @param {Context["executors"]} executors
 * @param {readonly number[]} threads
 */
function atThreads(executors, threads) {
  return executors.filter((executor) => executor.kind !== "wasm" || threads.includes(executor.threads));
}

/**
 * @param {import("./training-step.js").NetworkCase} network
 * @param {"step" | "forward"} kind
 * @param {number} batch
 * @param {readonly number[]} threadCounts
 * @param {ReturnType<typeof drawnBatch>} data
 */
function torchPeers(network, kind, batch, threadCounts, data) {
  const spec = {
    ...hyperParameters,
    kind,
    batch,
    layers: network.layers,
    activation: network.activation,
    observationShape: network.observationShape,
    actions: network.actions,
    scale: network.scale,
    entries: data.entries,
    theta: encoded(data.theta),
    observations: encoded(data.observations),
    actionsTaken: encoded(data.actions),
    advantages: encoded(data.advantages),
    targets: encoded(data.targets),
  };
  return threadCounts.flatMap((threads) =>
    [cleanrl, tuned].map((variant) => ({
      name: threads === 1 ? variant : variant + twoThreads,
      needs: ["torch"],
      work: "torch_step",
      spec: { ...spec, threads, variant: variant === tuned ? "tuned" : "cleanrl" },
      variables: { ...threadVariables(threads), ...(variant === tuned ? keptMemory : {}) },
    })),
  );
}

/**
 * Compares every contestant's gradient at the same parameters and batch with PyTorch's. Without PyTorch, it compares
 * those of the small networks with the reference executor's.
 * @param {object} parts
 * @param {Context["executors"]} parts.executors
 * @param {ReturnType<typeof drawnBatch>} parts.data
 * @param {readonly import("./peers.js").Loaded[]} parts.theirs
 * @param {import("./training-step.js").NetworkCase} parts.network
 * @param {number} parts.slices
 * @returns {Promise<Check[]>}
 */
async function gradientChecks({ executors, data, theirs, network, slices }) {
  const samples = Math.min(comparedSamples, data.actions.length);
  const first = firstSamples(data, samples);
  /**
   * @param {import("softrl").Executor} executor
   * @param {number} [parts]
   */
  const gradientBy = (executor, parts) => {
    const it = loadedStep(executor, tracedStep(network, samples, parts), first, "gradient");
    it.run();
    return it.output("gradient").slice();
  };
  const gradients = [];
  for (const { name, check } of theirs) gradients.push({ name, gradient: (await check(samples)).gradient });
  const own = executors.flatMap(({ name, executor }) => [
    { name, gradient: gradientBy(executor) },
    ...(slices === 1 ? [] : [{ name: name + activationsKept, gradient: gradientBy(executor, 2) }]),
  ]);
  // The reference executor would take minutes for the Nature CNN.
  if (gradients.length === 0 && network === networks.nature) return [];
  const against = gradients.shift() ?? { name: "the reference executor", gradient: gradientBy(reference) };
  return [...own, ...gradients].map(({ name, gradient }) => {
    const difference = relativeDifference(gradient, against.gradient);
    if (!(difference <= sameGradient)) {
      throw new Error(
        `bench: the gradients of ${name} and ${against.name} differ; expected at most ${sameGradient} relative, got ${difference}`,
      );
    }
    return { what: `gradient of ${name} against ${against.name}`, difference };
  });
}

/**
 * ‖a − b‖ / ‖b‖; NaN where the lengths differ.
 * @param {Float32Array | Float64Array} a
 * @param {Float32Array | Float64Array} b
 */
function relativeDifference(a, b) {
  if (a.length !== b.length) return Number.NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

/**
 * A2C on CartPole, from the environments to the optimiser.
 * @param {number} environments
 * @param {readonly import("./comparison.js").Bar[]} bars
 * @returns {Row}
 */
function cartPoleRow(environments, bars) {
  const name = `cartpole-${environments}`;
  return {
    name,
    async measure({ executors: all, peers, seed, busy, plan }) {
      const executors = atThreads(all, [1]);
      const settings = { ...peerSettings("CartPole-v1"), environments, hiddenSizes: [64, 64], seed };
      const { horizon, hiddenSizes } = settings;
      const ours = [];
      for (const { name, executor } of executors) {
        ours.push({ name, run: await cartPoleTraining(executor, environments, seed) });
      }
      const theirs = await loadedPeers(
        peers,
        [
          { name: "JAX", needs: ["jax", "optax"], work: "jax_a2c", threads: 1 },
          { name: `JAX${twoThreads}`, needs: ["jax", "optax"], work: "jax_a2c", threads: 2 },
          { name: "stable-baselines3", needs: ["stable_baselines3"], work: "sb3_a2c", threads: 1 },
        ].map(({ threads, ...peer }) => ({
          ...peer,
          spec: { ...settings, threads },
          variables: threadVariables(threads),
        })),
      );
      try {
        const measurements = await measureAlternating([...ours, ...theirs.loaded], plan);
        return {
          name,
          title: `CartPole A2C end to end, S = ${environments}, n = ${horizon}`,
          sizes: { ...settings, hiddenSizes: hiddenSizes.join("×") },
          unit: "steps/s",
          stepsPerIteration: environments * horizon,
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

/** @type {Row} */
const cartPoleAlone = {
  name: "cartpole-alone",
  async measure({ peers, quick, seed, busy, plan }) {
    const environments = quick ? 16 : 64;
    const ours = { name: "softrl", run: timed(cartPoleStepping(environments, seed)) };
    const theirs = await loadedPeers(peers, [
      {
        name: "Gymnasium (NumPy)",
        needs: ["gymnasium"],
        work: "gymnasium_cart_pole",
        spec: { environments, seed },
        variables: threadVariables(1),
      },
    ]);
    try {
      const measurements = await measureAlternating([ours, ...theirs.loaded], plan);
      const million = spread(measurements[0].samples.map((seconds) => environments / seconds / 1e6));
      return {
        name: "cartpole-alone",
        title: `CartPole alone, S = ${environments}`,
        sizes: { environments, seed },
        unit: "steps/s",
        stepsPerIteration: environments,
        measurements,
        comparisons: [
          {
            ours: "softrl",
            peer: "10⁶ steps/s",
            of: "rate",
            ratio: million,
            best: million.most,
            ...targetOf(million.median, undefined, 25),
          },
          ...compared(measurements, [{ ours: "softrl", peers: ["Gymnasium (NumPy)"], of: "rate" }], busy),
        ],
        checks: [],
        busy,
        missing: theirs.missing,
      };
    } finally {
      for (const peer of theirs.loaded) await peer.end();
    }
  },
};

/**
 * @param {() => void} work
 * @param {number} times
 */
function repeat(work, times) {
  for (let i = 0; i < times; i++) work();
}

/** @type {readonly Row[]} */
export const rows = [
  networkRow({
    name: "nature-step",
    network: "nature",
    kind: "step",
    batch: 80,
    threads: [1, 2],
    slices: 5,
    relaxed: true,
    bars: [
      { ours: "native", peers: [cleanrl], of: "time", most: 0.48 },
      { ours: `native${activationsKept}`, peers: [cleanrl], of: "time", most: 0.4 },
      { ours: "native", peers: [tuned], of: "time", most: 0.85 },
      {
        ours: "native, 2 threads",
        peers: [cleanrl + twoThreads, tuned + twoThreads],
        of: "time",
        most: 0.7,
        quiet: true,
      },
      { ours: "wasm", peers: [cleanrl], of: "time", most: 2.3 },
      { ours: `wasm${activationsKept}`, peers: [cleanrl], of: "time" },
      { ours: "wasm", peers: [tuned], of: "time" },
      { ours: "wasm-relaxed", peers: ["wasm"], of: "time", most: 0.8 },
      { ours: `wasm-relaxed${activationsKept}`, peers: [`wasm${activationsKept}`], of: "time", most: 0.8 },
    ],
  }),
  networkRow({
    name: "nature-forward",
    network: "nature",
    kind: "forward",
    batch: 16,
    threads: [1, 2],
    bars: [
      { ours: "native", peers: [cleanrl], of: "time", most: 0.6 },
      { ours: "native", peers: [tuned], of: "time" },
      { ours: "wasm", peers: [cleanrl], of: "time" },
    ],
  }),
  networkRow({
    name: "minatar-step",
    network: "minatar",
    kind: "step",
    batch: 32,
    bars: [
      { ours: "native", peers: [cleanrl], of: "time", most: 0.15 },
      { ours: "native", peers: [tuned], of: "time" },
      { ours: "wasm", peers: [cleanrl], of: "time", most: 0.7 },
      { ours: "wasm", peers: [tuned], of: "time" },
    ],
  }),
  networkRow({
    name: "mlp-step",
    network: "mlp",
    kind: "step",
    batch: 32,
    bars: [
      { ours: "native", peers: [cleanrl], of: "time", most: 0.014 },
      { ours: "native", peers: [tuned], of: "time" },
      { ours: "wasm", peers: [cleanrl], of: "time", most: 0.06 },
      { ours: "wasm", peers: [tuned], of: "time" },
    ],
  }),
  ...[8, 16].map((environments) =>
    cartPoleRow(environments, [
      { ours: "native", peers: ["JAX", `JAX${twoThreads}`], of: "rate", least: 1.5 },
      { ours: "wasm", peers: ["JAX", `JAX${twoThreads}`], of: "rate" },
      { ours: "native", peers: ["stable-baselines3"], of: "rate", least: 50 },
      { ours: "wasm", peers: ["stable-baselines3"], of: "rate", least: 15 },
    ]),
  ),
  cartPoleAlone,
  latencyRow("shared"),
  latencyRow("separate"),
  ...minatarRows,
  ...qLearningRows,
  ...ppoRows,
  ...atariRows,
  ...[10_000, 100_000, 1_000_000].map(sweepRow),
];
