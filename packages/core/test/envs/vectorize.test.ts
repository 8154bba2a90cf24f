import { type Environment, RandomStreams, SoftrlError, type StepOutcome, vectorize } from "softrl";
import { describe, expect, it } from "vitest";
import { Toy, type ToyFault } from "./toy.js";

const forward = Int32Array.of(1, 1);

/** The error message when environment 1 of two fails at position 3. */
function faultMessage(fault: ToyFault): string {
  let made = 0;
  const toys = vectorize("Toy-v0", () => new Toy(9, "float32", made++ === 1 ? fault : null), 2);
  toys.reset(new RandomStreams(1));
  toys.step(forward);
  toys.step(forward);
  try {
    toys.step(forward);
  } catch (error) {
    expect(error).toBeInstanceOf(SoftrlError);
    expect(() => toys.step(forward)).toThrow(/an earlier call failed; call reset/);
    expect(() => toys.save()).toThrow(/an earlier call failed/);
    toys.reset(new RandomStreams(1));
    toys.step(forward);
    return error instanceof Error ? error.message : "";
  }
  return "nothing was thrown";
}

describe("vectorize", () => {
  it("resets within the step that ends an episode and keeps the last observation", () => {
    const toys = vectorize("Toy-v0", () => new Toy(2), 2);
    toys.reset(new RandomStreams(1));
    toys.step(Int32Array.of(1, 0));
    expect(Array.from(toys.episodeEnded)).toEqual([0, 0]);
    toys.step(Int32Array.of(1, 1));
    expect(Array.from(toys.terminated)).toEqual([1, 0]);
    expect(Array.from(toys.episodeEnded)).toEqual([1, 0]);
    expect([toys.observations[0], toys.observations[2]]).toEqual([0, 1]);
    expect(toys.finalObservations[0]).toBe(2);
    expect([toys.episodeReturns[0], toys.episodeLengths[0]]).toEqual([2, 2]);
    toys.step(Int32Array.of(0, 1));
    expect(Array.from(toys.terminated)).toEqual([0, 1]);
    expect([toys.episodeReturns[1], toys.episodeLengths[1]]).toEqual([2, 3]);
  });

  it("truncates at the time limit, and sets both flags if the episode also terminates", () => {
    const toys = vectorize("Toy-v0", () => new Toy(3), 2, { maxEpisodeSteps: 3 });
    toys.reset(new RandomStreams(1));
    for (let t = 0; t < 3; t++) toys.step(Int32Array.of(0, 1));
    expect(Array.from(toys.truncated)).toEqual([1, 1]);
    expect(Array.from(toys.terminated)).toEqual([0, 1]);
    expect(Array.from(toys.episodeEnded)).toEqual([1, 1]);
    for (let t = 0; t < 2; t++) toys.step(Int32Array.of(0, 1));
    expect(Array.from(toys.truncated)).toEqual([0, 0]);
  });

  it("passes on what an environment throws as the cause, and its code if it has one", () => {
    const outOfMemory = new SoftrlError("the game", "no memory", { code: "out-of-memory" });
    for (const [error, code] of [
      [new Error("the game crashed"), "bad-input"],
      [outOfMemory, "out-of-memory"],
    ] as const) {
      const toys = vectorize("Toy-v0", () => new Toy(9, "float32", { error }), 1);
      toys.reset(new RandomStreams(1));
      const steps = () => {
        for (let t = 0; t < 3; t++) toys.step(Int32Array.of(1));
      };
      expect(steps).toThrow(expect.objectContaining({ code, cause: error }));
    }
  });

  it("passes an environment's own truncation on", () => {
    const outcome: StepOutcome = { reward: 5, terminated: false, truncated: true };
    const toys = vectorize("Toy-v0", () => new Toy(9, "uint8", { outcome }), 1);
    toys.reset(new RandomStreams(1));
    for (let t = 0; t < 3; t++) toys.step(Int32Array.of(1));
    expect([toys.truncated[0], toys.terminated[0], toys.rewards[0]]).toEqual([1, 0, 5]);
    expect([toys.episodeReturns[0], toys.finalObservations[0], toys.observations[0]]).toEqual([7, 3, 0]);
  });

  it.each([
    [
      { observation: Number.NaN },
      "element 1 of the observation is not finite, expected a finite number, got NaN.",
    ],
    [
      { observation: -Infinity },
      "element 1 of the observation is not finite, expected a finite number, got -Infinity.",
    ],
    [{ reward: Number.NaN }, "the reward is not finite, expected a finite number, got NaN."],
    [{ reward: Infinity }, "the reward is not finite, expected a finite number, got Infinity."],
    [
      { outcome: { reward: 1, terminated: 1, truncated: false } },
      "terminated is not a boolean, expected true or false, got 1.",
    ],
    [
      { outcome: { reward: 1, terminated: false } },
      "truncated is not a boolean, expected true or false, got undefined.",
    ],
    [
      { outcome: { reward: "1", terminated: false, truncated: false } },
      `the reward is not finite, expected a finite number, got "1".`,
    ],
    [
      { outcome: null },
      "step did not return an outcome, expected { reward, terminated, truncated }, got null.",
    ],
    [{ error: new Error("the game crashed") }, "step failed: the game crashed."],
  ])("names the environment and the step of %o", (fault, message) => {
    expect(faultMessage(fault)).toBe(`Toy-v0 environment 1, step 3: ${message}`);
  });

  it("changes nothing when it refuses an action", () => {
    const toys = vectorize("Toy-v0", () => new Toy(9), 2);
    toys.reset(new RandomStreams(1));
    toys.step(forward);
    const before = toys.save();
    expect(() => toys.step(Int32Array.of(1, 7))).toThrow(
      "Toy-v0 environment 1, step 2: the action is out of range, expected an integer in [0, 1], got 7.",
    );
    expect(() => toys.step(Int32Array.of(1))).toThrow("actions has the wrong length, expected 2, got 1");
    expect(toys.save()).toEqual(before);
  });

  it("refuses environments that are not distinct or not alike", () => {
    const one = new Toy(3);
    expect(() => vectorize("Toy-v0", () => one, 2)).toThrow(/the same environment twice/);
    let end = 3;
    expect(() => vectorize("Toy-v0", () => new Toy(end++), 2)).toThrow(
      /environment 1: observationSpace differs from that of environment 0/,
    );
    expect(() => vectorize("Toy-v0", () => new Toy(3), 0)).toThrow(/size/);
    expect(() => vectorize("Toy-v0", () => new Toy(3), 1, { maxEpisodeSteps: Number.NaN })).toThrow(
      /maxEpisodeSteps/,
    );
  });

  it("refuses unsupported spaces", () => {
    const withSpaces = (spaces: Partial<Environment>) => () => {
      const toy = new Toy(3);
      const step: Environment["step"] = (action, observation) => toy.step(action, observation);
      const reset: Environment["reset"] = (random, observation) => toy.reset(random, observation);
      const { observationSpace, actionSpace } = toy;
      const restore: Environment["restore"] = (snapshot) => toy.restore(snapshot);
      return { observationSpace, actionSpace, step, reset, save: () => toy.save(), restore, ...spaces };
    };
    const discrete = { kind: "discrete", n: 5 } as const;
    const box = { kind: "box", shape: [0], dtype: "float32", low: 0, high: 1 } as const;
    expect(() => vectorize("E", withSpaces({ observationSpace: discrete }), 1)).toThrow(/oneHotSpace\(5\)/);
    expect(() => vectorize("E", withSpaces({ observationSpace: box }), 1)).toThrow(
      /observationSpace\.shape\[0\]/,
    );
    expect(() => vectorize("E", withSpaces({ actionSpace: { ...box, shape: [1] } }), 1)).toThrow(
      /the actions are not discrete/,
    );
  });

  it("prevents an environment from writing beyond its own observation", () => {
    const greedy = () => {
      const toy = new Toy(9);
      const reset: Environment["reset"] = (random, observation) => toy.reset(random, observation);
      const step: Environment["step"] = (action, observation) => {
        const outcome = toy.step(action, observation);
        observation[2] = 99;
        return outcome;
      };
      const { observationSpace, actionSpace } = toy;
      return { observationSpace, actionSpace, reset, step, save: () => toy.save(), restore: () => {} };
    };
    const two = vectorize("Greedy", greedy, 2);
    two.reset(new RandomStreams(1));
    two.step(Int32Array.of(0, 0));
    expect(two.observations[2]).toBe(0);
  });
});
