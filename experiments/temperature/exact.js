// @ts-check
/**
 * The temperature on exact Markov decision processes: what the soft-optimal policy loses of the plain return, and how near
 * A2C and soft Q-learning come to it: `node experiments/temperature/exact.js`.
 *
 * All returns are exact: discounted, from the start, of the process itself. `--size smoke|desk|paper` chooses how long the
 * runs are and over how many seeds, `--out <folder>` where the tables and figures are written. `--draw` trains nothing: it
 * draws the figures of the table that is there.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawFigure } from "@softrl/cli";
import {
  a2c,
  createTrainer,
  createWasmExecutor,
  exactProcess,
  logPrior,
  logProbabilities,
  makeEnvironment,
  meanInterval,
  policyValues,
  RandomStreams,
  softPolicyIteration,
  softQLearning,
  softValueIteration,
} from "softrl";
import { readTable, writeTable } from "../plain-table.js";

/** @typedef {{ environment: string, policy: string, tau: number, seed: number | "", plainReturn: number, softReturn: number, regret: number }} Row */

const GAMMA = 0.99;
/** Millimetres. */
const COLUMN = 85;
/** What a figure shows of the returns, where one temperature would flatten all others. @type {Record<string, readonly [number, number]>} */
const shown = { "CliffWalking-v1": [-14.5, -12] };
const environments = /** @type {const} */ (["FrozenLake-v1", "CliffWalking-v1"]);
const algorithms = [a2c, softQLearning];
const decades = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const sizes = {
  smoke: { steps: 2000, seeds: [501], taus: [0.001, 1] },
  desk: { steps: 200_000, seeds: [501, 502, 503], taus: decades },
  paper: { steps: 2_000_000, seeds: [501, 502, 503, 504, 505, 506, 507, 508, 509, 510], taus: decades },
};

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "desk" },
    out: { type: "string", default: import.meta.dirname },
    draw: { type: "boolean", default: false },
  },
});
const size = Object.entries(sizes).find(([name]) => name === values.size)?.[1];
if (size === undefined) {
  console.error(`--size: expected ${Object.keys(sizes).join(", ")}, got ${JSON.stringify(values.size)}`);
  process.exit(2);
}
const { steps, seeds, taus } = size;

/** The exact problem of an environment: π̄ is the counting measure, so that −KL is the entropy. @param {import("softrl").Mdp} mdp @param {number} tau */
function problemOf(mdp, tau) {
  return { mdp, logPrior: logPrior(new Float64Array(mdp.states * mdp.actions)), tau, gamma: GAMMA };
}

/** Σ ρ(s) V(s). @param {import("softrl").Mdp} mdp @param {Float64Array} v */
function fromStart({ initial }, v) {
  return v.reduce((sum, value, s) => sum + initial[s] * value, 0);
}

/**
 * The exact returns of a policy, and what it lacks of the optimum.
 * @param {import("softrl").Mdp} mdp @param {number} tau @param {import("softrl").LogProbabilities} logPi
 */
function returnsOf(mdp, tau, logPi) {
  const optimum = softPolicyIteration(problemOf(mdp, tau));
  const softReturn = fromStart(mdp, policyValues(problemOf(mdp, tau), logPi));
  const plainReturn = fromStart(mdp, policyValues(problemOf(mdp, 0), logPi));
  return { plainReturn, softReturn, regret: fromStart(mdp, optimum.v) - softReturn };
}

/** log π in float64 of a policy that was learned in float32. @param {Float64Array} logPi @param {number} actions */
function normalised(logPi, actions) {
  const row = (/** @type {number} */ i) => Math.floor(i / actions) * actions;
  return logProbabilities(
    logPi.map(
      (x, i) =>
        x - Math.log(logPi.subarray(row(i), row(i) + actions).reduce((sum, y) => sum + Math.exp(y), 0)),
    ),
  );
}

/** @param {typeof environments[number]} id @param {import("softrl").AlgorithmKind} algorithm @param {number} tau @param {number} seed */
async function trained(id, algorithm, tau, seed) {
  const trainer = createTrainer({
    algorithm,
    environment: makeEnvironment(id, 16),
    executor: await createWasmExecutor(),
    settings: { run: { seed, steps, logEvery: steps }, algorithm: { tau, gamma: GAMMA } },
  });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const mdp = exactProcess(trainer.environment);
  const observations = new Float32Array(mdp.states ** 2);
  for (let s = 0; s < mdp.states; s++) observations[s * mdp.states + s] = 1;
  const { logPi } = trainer.algorithm.policy.evaluate(observations);
  return normalised(Float64Array.from(logPi), mdp.actions);
}

const header = "environment,policy,tau,seed,plainReturn,softReturn,regret";
const table = join(values.out, "exact.csv");

async function measureAll() {
  /** @type {Row[]} */
  const rows = [];
  for (const environment of environments) {
    const mdp = exactProcess(makeEnvironment(environment, 1));
    for (const tau of taus) {
      const { logPi } = softPolicyIteration(problemOf(mdp, tau));
      rows.push({ environment, policy: "soft optimum", tau, seed: "", ...returnsOf(mdp, tau, logPi) });
      for (const algorithm of algorithms) {
        for (const seed of seeds) {
          const learned = await trained(environment, algorithm, tau, seed);
          rows.push({ environment, policy: algorithm.title, tau, seed, ...returnsOf(mdp, tau, learned) });
        }
      }
      console.log(`${environment}, τ ${tau}`);
    }
  }
  const digits = (/** @type {number} */ value) => Number(value.toPrecision(6));
  const cells = rows.map(({ environment, policy, tau, seed, plainReturn, softReturn, regret }) => [
    environment,
    policy,
    tau,
    seed,
    digits(plainReturn),
    digits(softReturn),
    digits(regret),
  ]);
  writeTable(table, header, cells);
}

if (!values.draw) await measureAll();
const rows = readTable(table).map(([environment, policy, tau, , plainReturn]) => ({
  environment,
  policy,
  tau: Number(tau),
  plainReturn: Number(plainReturn),
}));
const streams = new RandomStreams(0);
for (const environment of environments) {
  const mdp = exactProcess(makeEnvironment(environment, 1));
  const best = fromStart(mdp, softValueIteration(problemOf(mdp, 0)).v);
  const drawn = [...new Set(rows.map(({ tau }) => tau))];
  const policies = ["soft optimum", ...algorithms.map(({ title }) => title)].map((name) => ({
    name,
    estimates: drawn.map((tau) => acrossSeeds(environment, name, tau)),
  }));
  // Runs of the smoke size have not learned yet: their returns are far below.
  const range = values.size === "smoke" ? undefined : shown[environment];
  const across =
    seeds.length === 1
      ? "one seed"
      : `mean of ${seeds.length} seeds with 95 % bootstrap intervals${seeds.length < 10 ? ", too narrow for so few" : ""}`;
  const figure = await drawFigure(
    {
      title: `The temperature on ${environment}`,
      subtitle: [
        `exact returns of the soft-optimal policy, and of what is learned in ${steps.toLocaleString("en")} steps`,
        across,
        ...(range === undefined ? [] : outside(policies, drawn, range)),
      ].join("; "),
      x: { label: "temperature τ", scale: "log" },
      y: {
        label: "return without the bonus",
        scale: "linear",
        ...(range === undefined ? {} : { within: range }),
      },
      series: [
        { name: "best plain return", kind: "reference", points: drawn.map((tau) => [tau, best]) },
        ...policies.map(({ name, estimates }) => ({
          name,
          kind: /** @type {const} */ ("line-and-dots"),
          points: drawn.map((tau, i) => /** @type {const} */ ([tau, estimates[i].estimate])),
          intervals: estimates.map(({ low, high }) => /** @type {const} */ ([low, high])),
        })),
      ],
    },
    COLUMN,
  );
  writeFileSync(join(values.out, `${environment}.svg`), figure);
}

/** The mean plain return over the seeds. @param {string} environment @param {string} policy @param {number} tau */
function acrossSeeds(environment, policy, tau) {
  const own = rows
    .filter((row) => row.environment === environment && row.policy === policy && row.tau === tau)
    .map(({ plainReturn }) => plainReturn);
  if (own.length === 1) return { estimate: own[0], low: own[0], high: own[0] };
  return meanInterval(own, { random: streams.stream(environment, policy, String(tau)) });
}

/**
 * What the axis does not reach, in words.
 * @param {readonly { name: string, estimates: readonly { estimate: number }[] }[]} policies
 * @param {readonly number[]} drawn @param {readonly [number, number]} range
 */
function outside(policies, drawn, [low, high]) {
  return drawn.flatMap((tau, i) => {
    const missing = policies.filter(
      ({ estimates }) => !(low <= estimates[i].estimate && estimates[i].estimate <= high),
    );
    if (missing.length === 0) return [];
    const returns = missing.map(
      ({ name, estimates }) =>
        `${name} ${String(Number(estimates[i].estimate.toPrecision(3))).replace("-", "−")}`,
    );
    return [`beyond the axis at τ = ${tau}: ${returns.join(", ")}`];
  });
}
