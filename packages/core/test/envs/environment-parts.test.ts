import { CartPole, type EnvironmentRows, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { EnvironmentParts } from "../../src/envs/environment-parts.js";

/** Two environments of one step each, whose steps take a turn of the event loop and log when they end. */
function asynchronousParts(log: string[]) {
  const whole = new CartPole(2);
  const parts: EnvironmentRows[] = [0, 1].map((p) => {
    const part = new CartPole(1);
    part.reset(new RandomStreams(p));
    return Object.create(part, {
      step: {
        writable: true,
        async value(actions: Int32Array) {
          await new Promise((resolve) => setImmediate(resolve));
          part.step(actions);
          log.push(`step ${p}`);
        },
      },
    });
  });
  return Object.assign(Object.create(whole), { parts });
}

describe("EnvironmentParts", () => {
  it("treats an environment without parts as its own single part", async () => {
    const environment = new CartPole(3);
    const parts = new EnvironmentParts(environment);
    expect(parts.all).toEqual([environment]);
    environment.reset(new RandomStreams(1));
    const visits: string[] = [];
    await parts.forEachStep(2, (t, p) => {
      visits.push(`${t} ${p}`);
      parts.step(p, new Int32Array(3));
    });
    expect(visits).toEqual(["0 0", "1 0", "2 0"]);
  });

  it("visits a part after its own step, while the other part steps", async () => {
    const log: string[] = [];
    const parts = new EnvironmentParts(asynchronousParts(log));
    await parts.forEachStep(1, (t, p) => {
      log.push(`visit ${t} ${p}`);
      if (t < 1) parts.step(p, new Int32Array(1));
    });
    expect(log.slice(0, 2)).toEqual(["visit 0 0", "visit 0 1"]);
    for (const p of [0, 1]) expect(log.indexOf(`step ${p}`)).toBeLessThan(log.indexOf(`visit 1 ${p}`));
  });

  it("waits for all pending steps when one fails, and works again afterwards", async () => {
    const log: string[] = [];
    const environment = asynchronousParts(log);
    const parts = new EnvironmentParts(environment);
    const [first] = environment.parts;
    const { step } = first;
    first.step = () => Promise.reject(new Error("no answer"));
    const visit = (t: number, p: number) => {
      if (t < 1) parts.step(p, new Int32Array(1));
    };
    await expect(parts.forEachStep(1, visit)).rejects.toThrow("no answer");
    expect(log).toEqual(["step 1"]);
    first.step = step;
    await parts.forEachStep(1, visit);
    expect(log.slice(1).sort()).toEqual(["step 0", "step 1"]);
  });

  it("refuses parts that differ in size or do not cover the environment", () => {
    for (const parts of [[new CartPole(1), new CartPole(3)], [new CartPole(2)], []]) {
      const environment = Object.assign(Object.create(new CartPole(4)), { parts });
      expect(() => new EnvironmentParts(environment)).toThrow(
        /expected parts of equal size that add up to 4/,
      );
    }
  });
});
