import { describe, expect, it } from "vitest";
import { constantSchedule, linearSchedule } from "../../src/optim/schedule.js";

describe("schedules", () => {
  it("go in a straight line, or stay", () => {
    const linear = linearSchedule(7e-4, 0);
    expect([linear(0), linear(0.5), linear(1), linear(2)]).toEqual([7e-4, 3.5e-4, 0, 0]);
    expect(constantSchedule(0.1)(0.7)).toBe(0.1);
  });
});
