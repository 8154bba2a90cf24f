// @ts-check
/**
 * The temperature on exact Markov decision processes: what the soft-optimal policy loses of the plain return, and how near
 * A2C and soft Q-learning come to it: `node experiments/temperature/exact.js`.
 *
 * All returns are exact: discounted, from the start, of the process itself. `--size smoke|desk|paper` chooses how long the
 * runs are and over how many seeds, `--out <folder>` where the tables and figures are written.
 */
import { mkdirSync, writeFileSync } from "node:fs";
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
  policyValues,
  softPolicyIteration,
  softQLearning,
  softValueIteration,
} from "softrl";

/** @typedef {{ environment: string, policy: string, tau: number, seed: number | "", plainReturn: number, softReturn: number, regret: number }} Row */

const GAMMA = 0.99;
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

/** @type {Row[]} */
const rows = [];
/** The largest plain return of any policy, by environment. @type {Map<string, number>} */
const best = new Map();
for (const environment of environments) {
  const mdp = exactProcess(makeEnvironment(environment, 1));
  best.set(environment, fromStart(mdp, softValueIteration(problemOf(mdp, 0)).v));
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
mkdirSync(values.out, { recursive: true });
const lines = rows.map(({ environment, policy, tau, seed, plainReturn, softReturn, regret }) =>
  [environment, policy, tau, seed, digits(plainReturn), digits(softReturn), digits(regret)].join(","),
);
const header = "environment,policy,tau,seed,plainReturn,softReturn,regret";
writeFileSync(join(values.out, "exact.csv"), `${[header, ...lines].join("\n")}\n`);
for (const environment of environments) {
  const top = best.get(environment) ?? 0;
  const names = ["soft optimum", ...algorithms.map(({ title }) => title)];
  const figure = await drawFigure({
    title: `The temperature on ${environment}`,
    subtitle: `the plain return of the soft-optimal policy, and of what is learned in ${steps.toLocaleString("en")} steps; exact`,
    x: { label: "temperature τ", scale: "log" },
    y: { label: "discounted return, without the bonus", scale: "linear" },
    series: [
      { name: "best plain return", kind: "reference", points: taus.map((tau) => [tau, top]) },
      ...names.map((name) => ({
        name,
        kind: /** @type {const} */ ("line-and-dots"),
        points: taus.map((tau) => /** @type {const} */ ([tau, meanOf(environment, name, tau)])),
      })),
    ],
  });
  writeFileSync(join(values.out, `${environment}.svg`), figure);
}

/** The mean plain return over the seeds. @param {string} environment @param {string} policy @param {number} tau */
function meanOf(environment, policy, tau) {
  const own = rows.filter(
    (row) => row.environment === environment && row.policy === policy && row.tau === tau,
  );
  return own.reduce((sum, { plainReturn }) => sum + plainReturn, 0) / own.length;
}
