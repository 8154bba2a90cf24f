// @ts-check
/** A thread of bench/page.js: continues a checkpoint of the page, and trains for as many seconds as each message says. */
import { parentPort, workerData } from "node:worker_threads";
import { a2c, CartPole, createTrainer, createWasmExecutor, readRunSnapshot, softQLearning } from "softrl";
import { raceRun } from "../packages/web/dist/figures/race.js";
import { games } from "../packages/web/dist/figures/race-controls.js";

const { racer, checkpoint } = workerData;
const [game] = games;
const { settings = {} } = raceRun(racer, { game, seed: 1, tau: game.tau, isGapSubtracted: false });
const trainer = createTrainer({
  algorithm: racer === "a2c" ? a2c : softQLearning,
  environment: new CartPole(8),
  executor: await createWasmExecutor(),
  settings,
  clock: () => performance.now() / 1000,
});
// Throws if the page had other settings.
await trainer.restore(readRunSnapshot("the page's checkpoint", checkpoint));
parentPort?.on("message", async (seconds) => {
  const [began, from] = [performance.now(), trainer.step];
  while (performance.now() - began < 1000 * seconds) await trainer.iterate();
  parentPort?.postMessage((1000 * (trainer.step - from)) / (performance.now() - began));
});
