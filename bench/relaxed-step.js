// @ts-check
import { createRelaxedWasmExecutor, createWasmExecutor, relaxedArithmetic } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating, timed } from "./measure.js";
import { drawnBatch, loadedStep, networks, tracedStep } from "./training-step.js";

const batch = 80;
const slices = 5;
/** The portable build's time is 1. */
const most = 0.8;

/**
 * The training step of the Nature CNN in `wasm-relaxed` against `wasm`, alternating; it runs in any engine that has `softrl`.
 * @param {{ readonly blockSeconds: number, readonly rounds: number }} plan
 */
export async function relaxedStep(plan) {
  const arithmetic = await relaxedArithmetic();
  const executors = [await createWasmExecutor(), await createRelaxedWasmExecutor()];
  const network = networks.nature;
  const data = drawnBatch(network, batch, 1);
  const comparisons = [];
  const measurements = [];
  for (const [title, traced] of /** @type {const} */ ([
    ["", tracedStep(network, batch)],
    [", activations kept", tracedStep(network, batch, slices)],
  ])) {
    const contestants = executors.map((executor) => {
      const { run } = loadedStep(executor, traced, data, "step");
      const repeated = (/** @type {number} */ times) => {
        for (let i = 0; i < times; i++) run();
      };
      return { name: executor.name + title, run: timed(repeated) };
    });
    const measured = await measureAlternating(contestants, plan);
    measurements.push(...measured);
    const [portable, relaxed] = measured.map(({ name }) => name);
    comparisons.push(...compared(measured, [{ ours: relaxed, peers: [portable], of: "time", most }], 0));
  }
  return { arithmetic, measurements, comparisons };
}
