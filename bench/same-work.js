// @ts-check
import { isShapedArray } from "softrl";
import { startedTrainer } from "./training.js";
import { watchedExecutor } from "./watched-executor.js";

/**
 * A training whose blocks report what {@link requireSameWork} reads, `stepsPerUpdate`, `parameters` and `loss`, and the
 * mean `episodeLength` where an episode ended.
 * @param {import("softrl").TrainChoice} choice of an algorithm whose program `update` is a step of the optimiser
 * @param {number} seed
 * @param {object} sizes
 * @param {string} sizes.loss the name of the loss among the outputs of `update`
 * @param {number} sizes.iteration steps of an iteration
 * @param {number} [sizes.before] steps before the first block
 */
export async function watchedTraining(choice, seed, { loss, iteration, before = 0 }) {
  const { executor, updates, session } = watchedExecutor(choice.executor);
  let episodes = 0;
  const trainer = await startedTrainer({ ...choice, executor }, seed, ({ event }) => {
    if (event === "episode") episodes++;
  });
  /** @param {number} step */
  const reach = async (step) => {
    while (trainer.step < step) await trainer.iterate();
  };
  await reach(before);
  const parameters = parameterCount(trainer);
  /**
   * @param {number} iterations
   * @returns {Promise<import("./measure.js").Block>}
   */
  const run = async (iterations) => {
    const first = { step: trainer.step, updates: updates(), episodes };
    const began = performance.now();
    await reach(first.step + iterations * iteration);
    const seconds = (performance.now() - began) / 1000;
    const steps = trainer.step - first.step;
    const ended = episodes - first.episodes;
    const figures = {
      stepsPerUpdate: steps / (updates() - first.updates),
      parameters,
      loss: session().programs.update.output(loss)[0],
      ...(ended === 0 ? {} : { episodeLength: steps / ended }),
    };
    return { seconds, iterations: steps / iteration, figures };
  };
  return { run, trainer, session };
}

/**
 * {@link watchedTraining} on each executor of one thread.
 * @param {readonly import("./executors.js").Found[]} executors
 * @param {(executor: import("softrl").Executor) => import("softrl").TrainChoice} choose
 * @param {number} seed
 * @param {{ readonly loss: string, readonly iteration: number, readonly before?: number }} sizes
 * @returns {Promise<{ readonly ours: import("./measure.js").Contestant[], readonly config: import("softrl").RunConfig | undefined }>}
 */
export async function watchedTrainings(executors, choose, seed, sizes) {
  const ours = [];
  let config;
  for (const { name, threads, executor } of executors) {
    if (threads > 1) continue;
    const { run, trainer } = await watchedTraining(choose(executor), seed, sizes);
    config = trainer.config;
    ours.push({ name, run });
  }
  return { ours, config };
}

/** @param {import("softrl").Trainer} trainer */
function parameterCount({ algorithm: { policy } }) {
  let count = 0;
  for (const entry of Object.values(policy.save())) {
    if (ArrayBuffer.isView(entry)) count += entry.length;
    else if (isShapedArray(entry)) count += entry.values.length;
  }
  return count;
}

/**
 * @param {readonly import("./measure.js").Measurement[]} measurements those without `stepsPerUpdate` are not checked
 * @param {{ stepsPerUpdate: number }} expected
 * @throws an error unless all make updates as often, of as many parameters, with finite losses
 */
export function requireSameWork(measurements, { stepsPerUpdate }) {
  const trained = measurements.filter(({ figures }) => figures.stepsPerUpdate !== undefined);
  const parameters = trained[0]?.figures.parameters;
  for (const { name, figures } of trained) {
    const wrong =
      Math.abs(figures.stepsPerUpdate - stepsPerUpdate) > 1e-9 * stepsPerUpdate
        ? `an update every ${figures.stepsPerUpdate} steps, expected ${stepsPerUpdate}`
        : figures.parameters !== parameters
          ? `${figures.parameters} parameters, expected ${parameters} as in ${trained[0].name}`
          : Number.isFinite(figures.loss)
            ? null
            : `the loss is ${figures.loss}`;
    if (wrong !== null) throw new Error(`bench: ${name} does other work: ${wrong}`);
  }
}
