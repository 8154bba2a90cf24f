import { Rollout, stateValues, terminatedFlags, truncatedFlags } from "softrl";
import { describe, expect, it } from "vitest";

const values = (...numbers: number[]) => stateValues(Float64Array.from(numbers));

/** What an environment says after a step; each pair is [terminated, truncated]. */
function outcome(rewards: number[], ends: readonly (readonly [number, number])[]) {
  const terminated = terminatedFlags(ends.length);
  const truncated = truncatedFlags(ends.length);
  terminated.set(ends.map(([ended]) => ended));
  truncated.set(ends.map(([, cut]) => cut));
  return { rewards: Float64Array.from(rewards), terminated, truncated };
}

const goesOn = [0, 0] as const;
const ends = [1, 0] as const;
const isCut = [0, 1] as const;
const both = [1, 1] as const;

describe("Rollout", () => {
  it("lays steps out time-major, by views that are written in place", () => {
    const rollout = new Rollout(3, 2);
    for (let t = 0; t < 3; t++) {
      const step = rollout.at(t);
      step.actions.set([10 * t, 10 * t + 1]);
      step.values.set([t, -t]);
      step.kl.set([t / 2, t / 4]);
      rollout.record(t, outcome([t, 100 + t], [goesOn, goesOn]));
      expect(rollout.at(t)).toBe(step);
    }
    expect(Array.from(rollout.actions)).toEqual([0, 1, 10, 11, 20, 21]);
    expect(Array.from(rollout.values)).toEqual([0, -0, 1, -1, 2, -2]);
    expect(Array.from(rollout.kl)).toEqual([0, 0, 0.5, 0.25, 1, 0.5]);
    expect(Array.from(rollout.rewards)).toEqual([0, 100, 1, 101, 2, 102]);
  });

  it("bootstraps with the value of the real successor", () => {
    const rollout = new Rollout(2, 4);
    rollout.at(0).values.set([1, 2, 3, 4]);
    rollout.record(0, outcome([0, 0, 0, 0], [goesOn, ends, isCut, both]));
    expect(rollout.truncatedAt(0)).toBe(true);
    rollout.recordFinalValues(0, values(-1, -2, -3, -4));
    rollout.at(1).values.set([5, 6, 7, 8]);
    rollout.record(1, outcome([0, 0, 0, 0], [ends, goesOn, goesOn, isCut]));
    rollout.recordFinalValues(1, values(-5, -6, -7, -8));
    rollout.bootstrap(values(9, 10, 11, 12));
    // Goes on: the next value; ended, or ended at the limit: 0; cut off: that of the final observation.
    expect(Array.from(rollout.bootstrapValues)).toEqual([5, 0, -3, 0, 0, 10, 11, -8]);
  });

  it("asks for final values only where an episode was cut off and not ended", () => {
    const rollout = new Rollout(1, 2);
    for (const [endings, expected] of [
      [[goesOn, goesOn], false],
      [[ends, goesOn], false],
      [[goesOn, both], false],
      [[goesOn, isCut], true],
    ] as const) {
      rollout.record(0, outcome([0, 0], endings));
      expect(rollout.truncatedAt(0)).toBe(expected);
    }
  });

  it("is the same taken down part by part", () => {
    const [whole, parted] = [new Rollout(2, 4), new Rollout(2, 4, 2)];
    const endings = [goesOn, isCut, ends, isCut];
    for (const t of [0, 1]) {
      whole.at(t).actions.set([t, 1, 2, 3]);
      whole.record(t, outcome([1, 2, 3, 4 + t], endings));
      whole.recordFinalValues(t, values(0, 5, 0, 7));
      parted.at(t, 0).actions.set([t, 1]);
      parted.at(t, 1).actions.set([2, 3]);
      parted.record(t, outcome([3, 4 + t], endings.slice(2)), 1);
      parted.record(t, outcome([1, 2], endings.slice(0, 2)), 0);
      expect([parted.truncatedAt(t, 0), parted.truncatedAt(t, 1)]).toEqual([true, true]);
      parted.recordFinalValues(t, values(0, 5), 0);
      parted.recordFinalValues(t, values(0, 7), 1);
    }
    for (const rollout of [whole, parted]) rollout.bootstrap(values(1, 2, 3, 4));
    for (const name of ["actions", "rewards", "terminated", "truncated", "bootstrapValues"] as const) {
      expect(parted[name]).toEqual(whole[name]);
    }
  });

  it("refuses parts that it does not have", () => {
    expect(() => new Rollout(2, 4, 3)).toThrow("parts does not divide size, expected a divisor of 4, got 3");
    const rollout = new Rollout(2, 4, 2);
    expect(() => rollout.at(0, 2)).toThrow("no such part, expected an integer in [0, 1], got 2");
    expect(() => rollout.record(0, outcome([0, 0, 0, 0], [ends, ends, ends, ends]), 0)).toThrow("[S/P]");
  });

  it("does not take the final values of an earlier rollout for its own", () => {
    const rollout = new Rollout(2, 1);
    rollout.record(1, outcome([0], [goesOn]));
    rollout.record(0, outcome([0], [isCut]));
    rollout.recordFinalValues(0, values(3));
    rollout.bootstrap(values(1));
    expect(rollout.bootstrapValues[0]).toBe(3);
    rollout.record(0, outcome([0], [isCut]));
    expect(() => rollout.bootstrap(values(1))).toThrow(
      /bootstrapValues of step 0, environment 0 is not finite.*got NaN; where truncatedAt.*recordFinalValues/,
    );
  });

  it("lets no NaN through", () => {
    const rollout = new Rollout(2, 2);
    for (const t of [0, 1]) rollout.record(t, outcome([0, 0], [goesOn, goesOn]));
    rollout.bootstrap(values(1, 1));
    expect(() => rollout.bootstrap(values(1, Number.NaN))).toThrow(
      /lastValues of environment 1 is not finite.*NaN/,
    );
    rollout.kl[1] = Infinity;
    expect(() => rollout.bootstrap(values(1, 1))).toThrow(
      /kl of step 0, environment 1 is not finite.*Infinity/,
    );
    rollout.kl[1] = 0;
    rollout.values[2] = Number.NaN;
    expect(() => rollout.bootstrap(values(1, 1))).toThrow(/values of step 1, environment 0 is not finite/);
  });

  it("refuses sizes that do not fit", () => {
    const rollout = new Rollout(2, 3);
    for (const t of [-1, 2, 0.5, Number.NaN])
      expect(() => rollout.at(t)).toThrow(/Rollout\.at: no such step/);
    expect(() => rollout.record(0, outcome([0], [goesOn]))).toThrow(
      /rewards has the wrong length, expected 3, got 1/,
    );
    expect(() => rollout.recordFinalValues(0, values(1))).toThrow(/finalValues has the wrong length/);
    expect(() => rollout.bootstrap(values(1))).toThrow(/lastValues has the wrong length/);
    expect(() => new Rollout(0, 1)).toThrow(/steps/);
    expect(() => new Rollout(1, 0)).toThrow(/size/);
  });
});
