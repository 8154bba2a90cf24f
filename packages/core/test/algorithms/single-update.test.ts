import { type AlgorithmKind, a2c, CartPole, createWasmExecutor, softQLearning } from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm } from "./bare-algorithm.js";
import { formerA2c, formerCoefficients, formerSoftQ } from "./former-algorithms.js";

const executor = await createWasmExecutor();

const start = (algorithm: AlgorithmKind, seed: number) =>
  new BareAlgorithm({
    algorithm,
    environment: new CartPole(8),
    executor,
    seed,
    settings: { algorithm: formerCoefficients },
  });

/** ‖x − y‖ / ‖y‖. */
function relativeDistance(x: Float64Array, y: Float64Array): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    difference += (x[i] - y[i]) ** 2;
    norm += y[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

describe.each([
  ["a2c", a2c, formerA2c],
  ["soft-q", softQLearning, formerSoftQ],
] as const)("one update of %s in float32, from the same state", (_, today, former) => {
  it("differs from that of commit 8158d84 by rounding alone, on 200 batches", async () => {
    let largest = 0;
    // Few updates a seed: |V| stays about as large as an advantage.
    for (let seed = 1; seed <= 20; seed++) {
      const [now, then] = [start(today, seed), start(former, seed)];
      for (let update = 0; update < 10; update++) {
        await then.restore(now);
        const before = now.theta;
        for (const run of [now, then]) await run.iterate(1);
        const [step, formerStep] = [now, then].map(({ theta }) => theta.map((x, i) => x - before[i]));
        largest = Math.max(largest, relativeDistance(step, formerStep));
      }
    }
    expect(largest).toBeLessThan(1e-6);
  });
});
