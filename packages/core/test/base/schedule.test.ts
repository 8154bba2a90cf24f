import { valueAt } from "softrl";
import { describe, expect, it } from "vitest";
import { linear, scheduleText } from "../../src/base/schedule.js";

describe("the value of a number at a step", () => {
  it("is the number itself without a schedule", () => {
    for (const step of [0, 50, 100, 1000]) expect(valueAt(0.3, step, 100)).toBe(0.3);
  });

  it("goes linearly from the first step to the last, and stays there", () => {
    const schedule = { from: 1, to: 3 };
    expect([0, 25, 50, 100, 150].map((step) => valueAt(schedule, step, 100))).toEqual([1, 1.5, 2, 3, 3]);
  });

  it("ends at `to` exactly, where rounding would miss it", () => {
    const schedule = { from: 1, to: 0.1 };
    expect(1 + (0.1 - 1) * 1).not.toBe(0.1);
    expect(valueAt(schedule, 7, 7)).toBe(0.1);
  });

  it("goes linearly over a share of the run, and stays there", () => {
    const schedule = { from: 1, to: 3, over: 0.5 };
    expect([0, 25, 50, 100, 150].map((step) => valueAt(schedule, step, 100))).toEqual([1, 2, 3, 3, 3]);
  });

  it("is that of the last entry whose step has been reached", () => {
    const schedule = {
      steps: [
        [0, 5],
        [10, 7],
        [20, 1],
      ],
    } as const;
    expect([0, 9, 10, 19, 20, 1e9].map((step) => valueAt(schedule, step, 100))).toEqual([5, 5, 7, 7, 1, 1]);
  });

  it("in steps does not depend on the length of the run", () => {
    const schedule = {
      steps: [
        [0, 5],
        [10, 7],
      ],
    } as const;
    expect(valueAt(schedule, 10, 1)).toBe(valueAt(schedule, 10, 1e6));
  });
});

it("linear goes from one number to another over the steps, upwards and downwards", () => {
  expect(linear(2, 0, 1, 4)).toBe(1.5);
  expect(linear(0, 2, 1, 4)).toBe(0.5);
  expect(linear(2, 0, 9, 4)).toBe(0);
});

it("a schedule as text is what the command line reads", () => {
  expect(scheduleText(0.25)).toBe("0.25");
  expect(scheduleText({ from: 0.1, to: 0.01 })).toBe("0.1:0.01");
  expect(scheduleText({ from: 1, to: 0.05, over: 0.1 })).toBe("1:0.05:0.1");
  expect(
    scheduleText({
      steps: [
        [0, 0.1],
        [10_000, 1e-7],
      ],
    }),
  ).toBe("0.1@0,1e-7@10000");
});
