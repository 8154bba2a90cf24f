// @ts-check
/**
 * Trains A2C beside soft Q-learning with the gap of the theorem (§4) subtracted, and with it kept, from the same seed,
 * and writes the distance of their parameters from A2C's after each update: `node experiments/equivalence/run.js`.
 *
 * All in float64, where rounding is small enough to tell it from a difference. `--size smoke|desk|paper` chooses how many
 * updates, `--out <folder>` where the tables and figures are written. `--draw` trains nothing: it draws the figure of the
 * table that is there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawFigure } from "@softrl/cli";
import { createGymnasiumEnvironment } from "@softrl/gymnasium";
import {
  a2c,
  createReferenceExecutor,
  createTrainer,
  isBuiltIn,
  makeEnvironment,
  softQLearning,
} from "softrl";
import { readTable, writeTable } from "../plain-table.js";

/** @typedef {{ environment: string, count: number, updates: number }} Task */
/** @typedef {{ variant: string, environment: string, update: number, step: number, distance: number, sameStates: boolean }} Row */

const SEED = 1;
/** Millimetres. */
const COLUMN = 85;
const contestants = [
  { name: "gap subtracted", gap: "subtracted" },
  { name: "gap kept", gap: "kept" },
];

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "desk" },
    out: { type: "string", default: import.meta.dirname },
    draw: { type: "boolean", default: false },
  },
});
/** @type {Record<string, readonly Task[]>} */
const sizes = JSON.parse(readFileSync(join(import.meta.dirname, "sizes.json"), "utf8"));
const tasks = sizes[values.size];
if (tasks === undefined) {
  console.error(`--size: expected ${Object.keys(sizes).join(", ")}, got ${JSON.stringify(values.size)}`);
  process.exit(2);
}

/** @param {Task} task */
function open({ environment, count }) {
  return isBuiltIn(environment)
    ? makeEnvironment(environment, count)
    : createGymnasiumEnvironment({ id: environment, size: count, training: true });
}

/** @param {Task} task @param {import("softrl").AlgorithmKind} algorithm @param {Record<string, string>} settings */
async function started(task, algorithm, settings) {
  const environment = await open(task);
  const trainer = createTrainer({
    algorithm,
    environment,
    executor: createReferenceExecutor(),
    // More than the updates take: the falling learning rate is then the same in all sizes.
    settings: { run: { seed: SEED, steps: 10_000_000, logEvery: 10_000_000 }, algorithm: settings },
  });
  await trainer.start();
  return trainer;
}

/**
 * The learned parameters: θ without the statistics of the observations, which no update moves.
 * @param {import("softrl").Trainer} trainer
 */
function learned({ algorithm, config }) {
  const { model } = algorithm;
  if (model === undefined) throw new Error(`${config.algorithm.name} has no model`);
  const theta = model.theta();
  return model.network.parameters.entries
    .filter(({ statistic }) => statistic === undefined)
    .flatMap(({ offset, size }) => Array.from(theta.subarray(offset, offset + size)));
}

/** max |x − y| / max |x|. @param {readonly number[]} x @param {readonly number[]} y */
function distance(x, y) {
  let [most, scale] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    most = Math.max(most, Math.abs(x[i] - y[i]));
    scale = Math.max(scale, Math.abs(x[i]));
  }
  return most / scale;
}

/** @param {import("softrl").Trainer} one @param {import("softrl").Trainer} other */
function seesTheSame({ environment: one }, { environment: other }) {
  return one.observations.every((x, i) => x === other.observations[i]);
}

/** About 20 updates of each decade, with the first and the last. @param {number} updates */
function shown(updates) {
  const all = Array.from({ length: Math.ceil(20 * Math.log10(updates)) }, (_, i) =>
    Math.round(10 ** (i / 20)),
  );
  return new Set([1, ...all, updates]);
}

/** @param {Task} task @returns {Promise<Row[]>} */
async function measure(task) {
  const reference = await started(task, a2c, {});
  const others = [];
  for (const { name, gap } of contestants)
    others.push({ name, trainer: await started(task, softQLearning, { gap }) });
  const wanted = shown(task.updates);
  /** Those that have drawn another action than A2C, and so see other states. @type {Set<string>} */
  const parted = new Set();
  /** @type {Row[]} */
  const rows = [];
  for (let update = 1; update <= task.updates; update++) {
    for (const trainer of [reference, ...others.map(({ trainer }) => trainer)]) await trainer.iterate();
    for (const { name, trainer } of others) if (!seesTheSame(reference, trainer)) parted.add(name);
    if (!wanted.has(update)) continue;
    const theta = learned(reference);
    for (const { name, trainer } of others) {
      const row = {
        update,
        step: reference.step,
        distance: distance(theta, learned(trainer)),
        sameStates: !parted.has(name),
      };
      rows.push({ variant: name, environment: task.environment, ...row });
    }
  }
  for (const trainer of [reference, ...others.map(({ trainer }) => trainer)])
    await trainer.environment.close?.();
  return rows;
}

const header = "variant,environment,update,step,distance,sameStates";
const table = join(values.out, "distances.csv");

async function measureAll() {
  /** @type {Row[]} */
  const rows = [];
  for (const task of tasks) {
    const began = process.cpuUsage();
    const own = await measure(task);
    rows.push(...own);
    const last = own
      .slice(-contestants.length)
      .map(({ variant, distance }) => `${variant} ${distance.toExponential(1)}`);
    const seconds = (process.cpuUsage(began).user / 1e6).toFixed(0);
    console.log(`${task.environment}, ${task.updates} updates, ${seconds} s of a core: ${last.join(", ")}`);
  }
  const cells = rows.map(({ variant, environment, update, step, distance, sameStates }) => [
    variant,
    environment,
    update,
    step,
    Number(distance.toPrecision(4)),
    sameStates,
  ]);
  writeTable(table, header, cells);
}

if (!values.draw) await measureAll();
const rows = readTable(table).map(([variant, environment, update, , distance]) => ({
  variant,
  environment,
  update: Number(update),
  distance: Number(distance),
}));
// Colours tell the environments apart, and dashes the two variants.
const series = [...new Set(rows.map(({ environment }) => environment))].flatMap((environment, colour) =>
  contestants.map(({ name }, dash) => ({
    name: `${environment.replace(/^(MinAtar|ALE)\/|-v\d+$/g, "")}, ${name}`,
    kind: /** @type {const} */ ("line-and-dots"),
    colour,
    dash,
    points: rows
      .filter((row) => row.environment === environment && row.variant === name && row.distance > 0)
      .map(({ update, distance }) => /** @type {const} */ ([update, distance])),
  })),
);
const figure = await drawFigure(
  {
    title: "Soft Q-learning beside A2C",
    subtitle: "max |θ − θ′| / max |θ| between the two after each update, from the same seed, in float64",
    x: { label: "updates", scale: "log" },
    y: { label: "distance of the parameters", scale: "log" },
    series,
  },
  COLUMN,
);
writeFileSync(join(values.out, "distances.svg"), figure);
