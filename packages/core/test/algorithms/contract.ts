import { describe, expect, it } from "vitest";
import type { Algorithm } from "../../src/algorithms/algorithm.js";
import { RandomStreams } from "../../src/base/random.js";
import { CartPole } from "../../src/envs/classic-control/cart-pole.js";

import { encodeCheckpoint } from "../../src/experiment/checkpoint.js";

/** A training setting: the same seed makes the same one. */
export interface Setting {
  readonly environment: CartPole;
  readonly algorithm: Algorithm;
}

/** What every algorithm must do, on CartPole. */
export function algorithmContract(
  name: string,
  make: (environment: CartPole, streams: RandomStreams) => Algorithm,
): void {
  const setting = (seed: number): Setting => {
    const streams = new RandomStreams(seed);
    const environment = new CartPole(4);
    environment.reset(streams);
    return { environment, algorithm: make(environment, streams) };
  };
  const iterations = async ({ algorithm }: Setting, count: number) => {
    const reports = [];
    for (let i = 0; i < count; i++) reports.push(await algorithm.iterate(() => {}));
    return reports;
  };
  const bytes = ({ environment, algorithm }: Setting) =>
    encodeCheckpoint({ algorithm: algorithm.save(), environment: environment.save() });

  describe(name, () => {
    it("takes the steps that it says and reports finite losses", async () => {
      const s = setting(1);
      let vectorSteps = 0;
      const report = await s.algorithm.iterate(() => vectorSteps++);
      expect(report.steps).toBe(s.algorithm.stepsPerIteration);
      expect(vectorSteps * s.environment.size).toBe(report.steps);
      for (const loss of Object.values(report.losses)) expect(Number.isFinite(loss)).toBe(true);
    });

    it("gives the same bytes for the same seed, others for another", async () => {
      const [a, b, c] = [setting(1), setting(1), setting(2)];
      for (const s of [a, b, c]) await iterations(s, 30);
      expect(bytes(a)).toEqual(bytes(b));
      expect(bytes(a)).not.toEqual(bytes(c));
    });

    it("goes on from a snapshot, in a fresh twin, as if it had never stopped", async () => {
      const whole = setting(3);
      await iterations(whole, 25);
      const first = setting(3);
      await iterations(first, 10);
      const twin = setting(99);
      twin.algorithm.restore(first.algorithm.save());
      twin.environment.restore(first.environment.save());
      await iterations(twin, 15);
      expect(bytes(twin)).toEqual(bytes(whole));
    });

    it("refuses a snapshot of another shape and stays as it was", async () => {
      const s = setting(1);
      const before = bytes(s);
      expect(() =>
        s.algorithm.restore({
          ...s.algorithm.save(),
          learner: { states: { theta: new Float32Array(3) } },
        }),
      ).toThrow(/theta/);
      expect(() => s.algorithm.restore({})).toThrow();
      expect(bytes(s)).toEqual(before);
    });

    it("takes parameters over to act with, and refuses others", async () => {
      const learned = setting(1);
      await iterations(learned, 5);
      const twin = setting(2);
      twin.algorithm.adopt(learned.algorithm.theta());
      expect(twin.algorithm.theta()).toEqual(learned.algorithm.theta());
      expect(() => twin.algorithm.adopt(new Float64Array(3))).toThrow("theta has the wrong length");
      const broken = learned.algorithm.theta();
      broken[7] = Number.NaN;
      expect(() => twin.algorithm.adopt(broken)).toThrow("parameter 7 is not finite");
      expect(twin.algorithm.theta()).toEqual(learned.algorithm.theta());
    });

    it("acts in an evaluation without touching the training", async () => {
      const a = setting(5);
      const b = setting(5);
      await iterations(a, 3);
      await iterations(b, 3);
      const actions = new Int32Array(4);
      a.algorithm.act(a.environment.observations, actions, "mode");
      for (const action of actions) expect([0, 1]).toContain(action);
      a.algorithm.act(a.environment.observations, actions, "sample");
      await iterations(a, 3);
      await iterations(b, 3);
      const parameters = (s: Setting) =>
        JSON.stringify(s.algorithm.save(), (key, value) => (key === "evaluation" ? null : value));
      expect(parameters(a)).toBe(parameters(b));
    });
  });
}
