import { momentsOf, RandomStreams, ReturnNormaliser, Rollout, terminatedFlags, truncatedFlags } from "softrl";
import { describe, expect, it } from "vitest";

/** T · S rewards [t, s], and the places where an episode terminates or is truncated. */
interface Scenario {
  readonly rewards: readonly number[];
  readonly terminated?: readonly number[];
  readonly truncated?: readonly number[];
}

function filled(size: number, { rewards, terminated = [], truncated = [] }: Scenario): Rollout {
  const rollout = new Rollout(rewards.length / size, size);
  for (let t = 0; t < rollout.steps; t++) {
    const row = { terminated: terminatedFlags(size), truncated: truncatedFlags(size) };
    for (let s = 0; s < size; s++) {
      row.terminated[s] = Number(terminated.includes(t * size + s));
      row.truncated[s] = Number(truncated.includes(t * size + s));
    }
    rollout.record(t, { ...row, rewards: Float64Array.from(rewards.slice(t * size, (t + 1) * size)) });
  }
  return rollout;
}

const deviation = (returns: readonly number[]) => {
  const { squares, count } = momentsOf(returns, 1);
  return Math.sqrt(squares[0] / count + 1e-8);
};

describe("ReturnNormaliser", () => {
  it("divides by the deviation of the discounted returns of all environments, which start anew in each episode", () => {
    const normaliser = new ReturnNormaliser(2);
    // Environment 0: 1, 2 (terminated), 4. Environment 1: −1, 0 (truncated), 3.
    const first = filled(2, { rewards: [1, -1, 2, 0, 4, 3], terminated: [2], truncated: [3] });
    normaliser.normalise(first, 0.5);
    const returns = [1, -1, 2.5, -0.5, 4, 3];
    [1, -1, 2, 0, 4, 3].forEach((reward, i) => {
      expect(first.rewards[i]).toBeCloseTo(reward / deviation(returns), 13);
    });
    // The next rollout continues the returns, and the variance is over both.
    const second = filled(2, { rewards: [1, 1], terminated: [0] });
    normaliser.normalise(second, 0.5);
    returns.push(1 + 0.5 * 4, 1 + 0.5 * 3);
    expect(second.rewards[0]).toBeCloseTo(1 / deviation(returns), 13);
    const third = filled(2, { rewards: [1, 1] });
    normaliser.normalise(third, 0.5);
    returns.push(1, 1 + 0.5 * 2.5);
    expect(third.rewards[1]).toBeCloseTo(1 / deviation(returns), 13);
  });

  it("clips to ±10, also where the returns do not vary", () => {
    const normaliser = new ReturnNormaliser(1);
    for (const [reward, expected] of [
      [1, 10],
      [1, 10],
    ] as const) {
      const rollout = filled(1, { rewards: [reward], terminated: [0] });
      normaliser.normalise(rollout, 1);
      expect(rollout.rewards[0]).toBe(expected);
    }
    const zero = filled(1, { rewards: [0] });
    new ReturnNormaliser(1).normalise(zero, 1);
    expect(zero.rewards[0]).toBe(0);
    const rare = filled(1, { rewards: [...new Array<number>(999).fill(0), -100] });
    new ReturnNormaliser(1).normalise(rare, 0);
    expect(rare.rewards[999]).toBe(-10);
  });

  it("gives the same whether steps come in one rollout or in many, once the variance is known", () => {
    const random = new RandomStreams(3).stream("rewards");
    const rewards = Array.from({ length: 40 }, () => random.uniform(-1, 1));
    const whole = filled(2, { rewards, terminated: [13], truncated: [20] });
    const together = new ReturnNormaliser(2);
    together.normalise(whole, 0.9);
    const apart = new ReturnNormaliser(2);
    for (let t = 0; t < 20; t += 4) {
      const places = (all: readonly number[]) => all.map((i) => i - 2 * t).filter((i) => i >= 0 && i < 8);
      const rollout = filled(2, {
        rewards: rewards.slice(2 * t, 2 * t + 8),
        terminated: places([13]),
        truncated: places([20]),
      });
      apart.normalise(rollout, 0.9);
      if (t !== 16) continue;
      for (let i = 0; i < 8; i++) expect(rollout.rewards[i]).toBeCloseTo(whole.rewards[32 + i], 12);
    }
    expect(apart.save().returns).toEqual(together.save().returns);
  });

  it("continues from its snapshot bit for bit, and refuses another size", () => {
    const normaliser = new ReturnNormaliser(2);
    normaliser.normalise(filled(2, { rewards: [1, 2, 3, 4] }), 0.9);
    const twin = new ReturnNormaliser(2);
    twin.restore(normaliser.save());
    const [a, b] = [filled(2, { rewards: [5, 1] }), filled(2, { rewards: [5, 1] })];
    normaliser.normalise(a, 0.9);
    twin.normalise(b, 0.9);
    expect(b.rewards).toEqual(a.rewards);
    expect(twin.save()).toEqual(normaliser.save());
    expect(() => new ReturnNormaliser(3).restore(normaliser.save())).toThrow(/does not fit/);
  });
});
