import type { Snapshot } from "softrl";
import { type AlgorithmKind, CartPole, type ChosenSettings, createWasmExecutor, isShapedArray } from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm } from "./bare-algorithm.js";

const executor = await createWasmExecutor();

/** What every algorithm must do, on CartPole. */
export function algorithmContract(title: string, algorithm: AlgorithmKind, settings: ChosenSettings): void {
  const start = (seed: number) =>
    new BareAlgorithm({ algorithm, environment: new CartPole(4), executor, seed, settings });

  describe(title, () => {
    it("reports the steps that it has taken, and finite figures", async () => {
      const { algorithm, environment } = start(1);
      let vectorSteps = 0;
      const { steps, figures } = await algorithm.iterate(() => vectorSteps++);
      expect(vectorSteps).toBeGreaterThan(0);
      expect(steps).toBe(vectorSteps * environment.size);
      expect(Object.keys(figures).length).toBeGreaterThan(0);
      for (const figure of Object.values(figures)) expect(Number.isFinite(figure)).toBe(true);
    });

    it("gives the same bytes for the same seed, others for another", async () => {
      const [a, b, c] = [start(1), start(1), start(2)];
      for (const run of [a, b, c]) await run.iterate(30);
      expect(await a.bytes()).toEqual(await b.bytes());
      expect(await a.bytes()).not.toEqual(await c.bytes());
    });

    it("continues from a snapshot, in a twin made from another seed, as if it had never stopped", async () => {
      const whole = start(3);
      await whole.iterate(25);
      const first = start(3);
      await first.iterate(10);
      const twin = start(99);
      await twin.restore(first);
      await twin.iterate(15);
      expect(await twin.bytes()).toEqual(await whole.bytes());
    });

    it("refuses a snapshot of another shape and stays as it was", async () => {
      const run = start(1);
      await run.iterate(2);
      const before = await run.bytes();
      const { algorithm } = run;
      expect(() => algorithm.restore(cutArrays(algorithm.save()))).toThrow(/does not fit/);
      expect(() => algorithm.restore({})).toThrow(/does not fit/);
      expect(await run.bytes()).toEqual(before);
    });

    it("takes over parameters to act with, and refuses others", async () => {
      const learned = start(1);
      await learned.iterate(5);
      const twin = start(2);
      const { policy } = twin.algorithm;
      const parameters = learned.algorithm.policy.save();
      policy.restore(parameters);
      expect(twin.theta).toEqual(learned.theta);
      expect(policy.save()).toEqual(parameters);

      const [first, ...others] = Object.keys(parameters);
      const without = Object.fromEntries(others.map((name) => [name, parameters[name]]));
      expect(() => policy.restore(without)).toThrow(`"${first}" of the snapshot does not fit`);
      expect(() => policy.restore(cutArrays(parameters))).toThrow(/does not fit/);
      const last = others[others.length - 1];
      const broken = policy.save();
      valuesOf(broken, last)[0] = Number.NaN;
      expect(() => policy.restore(broken)).toThrow(`${last}[0] is not finite`);
      expect(twin.theta).toEqual(learned.theta);
    });

    it("acts in an evaluation without touching the training", async () => {
      const [a, b] = [start(5), start(5)];
      for (const run of [a, b]) await run.iterate(3);
      const actions = new Int32Array(4);
      a.algorithm.policy.act(a.environment.observations, actions, "mode");
      for (const action of actions) expect([0, 1]).toContain(action);
      a.algorithm.policy.act(a.environment.observations, actions, "sample");
      a.algorithm.policy.evaluate(a.environment.observations);
      for (const run of [a, b]) await run.iterate(3);
      const state = async (run: BareAlgorithm) =>
        JSON.stringify(await run.save(), (key, value) => (key === "evaluation" ? null : value));
      expect(await state(a)).toBe(await state(b));
    });
  });
}

/** The values of an array in a snapshot. */
function valuesOf(snapshot: Snapshot, name: string): Float32Array | Float64Array {
  const entry = snapshot[name];
  const values = isShapedArray(entry) ? entry.values : entry;
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  throw new Error(`${name} is not an array of floating-point numbers`);
}

/** The snapshot with three numbers in place of each array. */
function cutArrays(snapshot: Snapshot): Snapshot {
  const cut = Object.entries(snapshot).map(([name, entry]) => {
    if (isShapedArray(entry) || ArrayBuffer.isView(entry)) return [name, new Float32Array(3)] as const;
    return [name, typeof entry === "object" && entry !== null ? cutArrays(entry) : entry] as const;
  });
  return Object.fromEntries(cut);
}
