import { choiceSetting, LiveSettings, liveSetting, numberSetting } from "softrl";
import { describe, expect, it } from "vitest";

const settings = {
  tau: liveSetting({ about: "the temperature", above: 0, default: 0.1 }),
  gamma: liveSetting({ about: "the discount", low: 0, high: 1, default: 0.99 }),
  temperature: liveSetting({ about: "another number", low: 0, default: 1 }),
  decay: numberSetting({ about: "a share", default: 0.5 }),
  bonus: choiceSetting(["proper", "naive"], { about: "the bonus", default: "proper" }),
};

function started(tau: Parameters<typeof settings.tau.check>[1] = 0.1) {
  const live = new LiveSettings(1000);
  const values = {
    tau: settings.tau.check("tau", tau),
    gamma: 0.99,
    temperature: 1,
    decay: 0.5,
    bonus: "proper",
  } as const;
  return { live, current: live.add(settings, values) };
}

describe("LiveSettings", () => {
  it("reads the numbers of the present step", () => {
    const { live, current } = started({ from: 0.1, to: 0.3 });
    expect(current.tau).toBe(0.1);
    live.step = 500;
    expect(current.tau).toBeCloseTo(0.2, 15);
    live.step = 1000;
    expect(current.tau).toBe(0.3);
    expect({ ...current }).toEqual({ tau: 0.3, gamma: 0.99, temperature: 1, decay: 0.5, bonus: "proper" });
  });

  it("lets a number fall with a live setting, in proportion to the first of its schedule", () => {
    const { live } = started({ from: 0.4, to: 0.1 });
    expect(live.fallingWith("tau", 3)).toBeCloseTo(3, 14);
    live.step = 1000;
    expect(live.fallingWith("tau", 3)).toBe((3 * 0.1) / 0.4);
    expect(live.fallingWith("gamma", 3)).toBe(3);
    expect(live.fallingWith("unknown", 3)).toBe(3);
    live.set("set", { tau: 0.2 });
    expect(live.fallingWith("tau", 0.1)).toBe(0.1);
  });

  it("has the names of the live settings, and the number of steps", () => {
    expect(started().live.names).toEqual(["steps", "tau", "gamma", "temperature"]);
  });

  it("sets numbers from the present step on, whatever schedule they had", () => {
    const { live, current } = started({ from: 0.1, to: 0.3 });
    live.step = 500;
    live.set("set", { tau: 0.02, gamma: 0.9 });
    expect([current.tau, current.gamma]).toEqual([0.02, 0.9]);
    live.step = 900;
    expect(current.tau).toBe(0.02);
  });

  it("extends the run, and with it a linear schedule", () => {
    const { live, current } = started({ from: 0.1, to: 0.3 });
    live.step = 500;
    live.set("set", { steps: 2000 });
    expect(live.steps).toBe(2000);
    expect(current.tau).toBeCloseTo(0.15, 15);
  });

  it.each([
    [
      { taus: 1 },
      /^set: taus cannot change during a run, expected steps, tau, gamma, temperature, got taus; did you mean tau\?/,
    ],
    [{ decay: 1 }, /^set: decay cannot change during a run, expected steps, tau, gamma/],
    [{ bonus: 1 }, /^set: bonus cannot change during a run/],
    [{ constructor: 1 }, /^set: constructor cannot change during a run/],
    [{ tau: 0 }, /^set: tau: invalid value, expected a number in \(0, ∞\), got 0/],
    [{ gamma: 1.5 }, /^set: gamma: invalid value, expected a number in \[0, 1\], got 1\.5/],
    [{ tau: Number.NaN }, /^set: tau: invalid value, .* got NaN/],
    [{ steps: 499 }, /^set: steps is out of range, expected an integer of at least 500, got 499/],
    [{ steps: 600.5 }, /^set: steps is out of range/],
  ])("refuses %j, and changes nothing", (change, message) => {
    const { live, current } = started();
    live.step = 500;
    const before = [live.save(), { ...current }, live.steps];
    expect(() => live.set("set", { temperature: 0.5, ...change })).toThrow(message);
    expect(() => live.set("set", { ...change, temperature: 0.5 })).toThrow();
    expect([live.save(), { ...current }, live.steps]).toEqual(before);
  });

  it.each([["0.1"], [null], [{ from: 0.1, to: 0.2 }], [true]])("refuses %j for a number", (value) => {
    const { live, current } = started();
    // As JavaScript would call it.
    const set: (where: string, changes: never) => void = live.set.bind(live);
    expect(() => set("set", { tau: value } as never)).toThrow(
      /set: tau: invalid value, expected a number, got/,
    );
    expect(() => set("set", { steps: value } as never)).toThrow(
      /set: steps: invalid value, expected an integer/,
    );
    expect(current.tau).toBe(0.1);
  });

  it("refuses two live settings of one name, and one named steps", () => {
    const { live } = started();
    const { tau } = settings;
    expect(() => live.add({ tau }, { tau: 1 })).toThrow(
      "LiveSettings.add: two live settings are named tau; rename one of them.",
    );
    expect(() => live.add({ steps: tau }, { steps: 1 })).toThrow(/two live settings are named steps/);
    expect(() => live.add({ decay: settings.decay }, { decay: 1 })).not.toThrow();
  });

  it("saves the step and what was set, and restores them", () => {
    const first = started({ from: 0.1, to: 0.3 });
    first.live.step = 400;
    first.live.set("set", { gamma: 0.9, steps: 1600 });
    const snapshot = first.live.save();
    expect(snapshot).toEqual({ step: 400, set: { gamma: 0.9, steps: 1600 } });
    const second = started({ from: 0.1, to: 0.3 });
    second.live.restore(snapshot);
    expect({ ...second.current }).toEqual({ ...first.current });
    expect(second.live.steps).toBe(1600);
    expect(second.live.save()).toEqual(snapshot);
  });

  it("restores a run that went past the length that was set, to the end of its rollout", () => {
    const { live } = started();
    live.step = 1000;
    live.set("set", { steps: 1010 });
    live.step = 1040;
    const snapshot = live.save();
    const second = started();
    second.live.restore(snapshot);
    expect(second.live.save()).toEqual(snapshot);
    expect(() => second.live.restore({ step: 3, set: { steps: 0 } })).toThrow("steps is out of range");
  });

  it("forgets what was set before a restore", () => {
    const { live, current } = started({ from: 0.1, to: 0.3 });
    const snapshot = live.save();
    live.step = 400;
    live.set("set", { tau: 0.02, steps: 1600 });
    live.restore(snapshot);
    expect(current.tau).toBe(0.1);
    expect(live.steps).toBe(1000);
    expect(live.save()).toEqual(snapshot);
  });

  it("refuses a snapshot that it could not have saved, and stays as it was", () => {
    const { live } = started();
    live.set("set", { tau: 0.2 });
    const before = live.save();
    for (const set of [{ taus: 1 }, { tau: -1 }, { gamma: 0.5, tau: "1" }]) {
      expect(() => live.restore({ step: 3, set })).toThrow();
    }
    expect(() => live.restore({ set: {} })).toThrow(/step/);
    expect(() => live.restore({ step: 3 })).toThrow(/set/);
    expect(live.save()).toEqual(before);
  });
});
