import { readFileSync } from "node:fs";
import { Acrobot, MountainCar, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";

/** Written by golden/classic-control.py from Gymnasium 1.3.0. */
interface Golden {
  readonly gymnasium: string;
  readonly states: readonly number[][];
  readonly actions: readonly number[];
  /** float32 numbers in decimal notation. */
  readonly observations: readonly number[][];
  readonly rewards: readonly number[];
  readonly terminated: readonly number[];
}

const read = (file: string): Golden =>
  JSON.parse(readFileSync(new URL(`golden/${file}`, import.meta.url), "utf8"));

/** The count of numbers that differ from the golden ones, and the largest difference in units in the last place. */
function differences(environment: Acrobot | MountainCar, golden: Golden): { count: number; bits: number } {
  const { finalObservations, observations, size } = environment;
  const width = observations.length / size;
  let count = 0;
  let bits = 0;
  golden.observations.forEach((expected, i) => {
    const from = golden.terminated[i] ? finalObservations : observations;
    expected.forEach((number, j) => {
      const [got, right] = [from[i * width + j], Math.fround(number)];
      if (got === right) return;
      count++;
      bits = Math.max(bits, Math.abs(ordinal(got) - ordinal(right)));
    });
  });
  return { count, bits };
}

/** The position of x in the ordered sequence of all float32 numbers. */
function ordinal(x: number): number {
  const [bits] = new Int32Array(Float32Array.of(x).buffer);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

describe.each([
  ["Acrobot-v1", "acrobot.json", (size: number) => new Acrobot(size), 150],
  ["MountainCar-v0", "mountain-car.json", (size: number) => new MountainCar(size), 60],
] as const)("%s, beside Gymnasium 1.3.0", (_, file, make, endings) => {
  const golden = read(file);

  it("makes the same transitions from given states, except for the last bit of at most 1 number in 200", () => {
    expect(golden.gymnasium).toBe("1.3.0");
    const size = golden.states.length;
    expect(size).toBe(1000);
    const environment = make(size);
    environment.reset(new RandomStreams(1));
    golden.states.forEach((state, i) => {
      environment.setState(i, state);
    });
    environment.step(Int32Array.from(golden.actions));
    expect(Array.from(environment.terminated)).toEqual(golden.terminated);
    expect(Array.from(environment.rewards)).toEqual(golden.rewards);
    expect(golden.terminated.filter((ended) => ended === 1).length).toBeGreaterThan(endings);
    const { count, bits } = differences(environment, golden);
    expect(count).toBeLessThanOrEqual(0.005 * environment.observations.length);
    expect(bits).toBeLessThanOrEqual(1);
  });

  it("refuses an invalid state", () => {
    const environment = make(1);
    expect(() => environment.setState(0, golden.states[0])).toThrow(/reset/);
    environment.reset(new RandomStreams(1));
    expect(() => environment.setState(0, [0])).toThrow(/the wrong length/);
    expect(() =>
      environment.setState(
        0,
        golden.states[0].map(() => Number.NaN),
      ),
    ).toThrow(/not finite/);
  });
});

describe("Acrobot-v1", () => {
  it("starts hanging down, each number of its state in U(-0.1, 0.1), and is truncated after 500 steps", () => {
    const environment = new Acrobot(4000);
    environment.reset(new RandomStreams(5));
    const { observations } = environment;
    const numbers = Array.from({ length: 4000 }, (_, i) => [
      Math.asin(observations[6 * i + 1]),
      Math.asin(observations[6 * i + 3]),
      observations[6 * i + 4],
      observations[6 * i + 5],
    ]);
    for (let j = 0; j < 4; j++)
      expectUniform(
        numbers.map((row) => row[j]),
        -0.1,
        0.1,
      );
    const one = new Acrobot(1);
    one.reset(new RandomStreams(5));
    for (let t = 1; t <= 500; t++) {
      one.step(Int32Array.of(1));
      expect(one.truncated[0]).toBe(t === 500 ? 1 : 0);
    }
    expect([one.terminated[0], one.episodeReturns[0], one.episodeLengths[0]]).toEqual([0, -500, 500]);
  });

  it("conserves energy without torque, to 1 % over 50 steps", () => {
    const environment = new Acrobot(1);
    environment.reset(new RandomStreams(1));
    environment.setState(0, [0.3, -0.2, 0, 0]);
    const before = energy(environment.observations);
    for (let t = 0; t < 50; t++) environment.step(Int32Array.of(1));
    expect(Math.abs(energy(environment.observations) - before)).toBeLessThan(0.01 * Math.abs(before));
  });
});

describe("MountainCar-v0", () => {
  it("starts at rest in U(-0.6, -0.4) and is truncated after 200 steps", () => {
    const environment = new MountainCar(4000);
    environment.reset(new RandomStreams(5));
    const { observations } = environment;
    expectUniform(
      Array.from({ length: 4000 }, (_, i) => observations[2 * i]),
      -0.6,
      -0.4,
    );
    for (let i = 0; i < 4000; i++) expect(observations[2 * i + 1]).toBe(0);
    const one = new MountainCar(1);
    one.reset(new RandomStreams(5));
    for (let t = 1; t <= 200; t++) {
      one.step(Int32Array.of(2));
      expect(one.truncated[0]).toBe(t === 200 ? 1 : 0);
    }
    expect([one.terminated[0], one.episodeReturns[0]]).toEqual([0, -200]);
  });

  it("reaches the goal when the car always pushes in its direction of motion", () => {
    const environment = new MountainCar(1);
    environment.reset(new RandomStreams(5));
    let steps = 0;
    do {
      environment.step(Int32Array.of(environment.observations[1] < 0 ? 0 : 2));
    } while (++steps < 200 && environment.episodeEnded[0] === 0);
    expect([environment.terminated[0], environment.truncated[0]]).toEqual([1, 0]);
  });
});

/** The pendulum's energy up to a constant, from its observation: two rods of 1 m, 1 kg and inertia 1 kg m². */
function energy([cosine1, sine1, cosine2, sine2, speed1, speed2]: Float32Array): number {
  const d1 = 3.5 + cosine2;
  const d2 = 1.25 + 0.5 * cosine2;
  const kinetic = 0.5 * d1 * speed1 ** 2 + d2 * speed1 * speed2 + 0.5 * 1.25 * speed2 ** 2;
  return kinetic - 9.8 * (1.5 * cosine1 + 0.5 * (cosine1 * cosine2 - sine1 * sine2));
}

/** Expects numbers within the bounds, with mean and variance within five standard deviations (kurtosis 9/5). */
function expectUniform(numbers: readonly number[], low: number, high: number): void {
  const n = numbers.length;
  const mean = numbers.reduce((sum, x) => sum + x, 0) / n;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  const expected = (high - low) ** 2 / 12;
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(low - 1e-6);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(high + 1e-6);
  expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(5 * Math.sqrt(expected / n));
  expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(0.8 / n));
}
