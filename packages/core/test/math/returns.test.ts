import {
  emptyTrajectory,
  lambdaAdvantagesInto,
  lambdaTargetsInto,
  nStepAdvantagesInto,
  qValues,
  type Random,
  RandomStreams,
  softQTargetsInto,
  softTemporalDifferencesInto,
  stateValues,
  successorValuesInto,
  type Trajectory,
  truncatedFlags,
  valueTargetsInto,
} from "softrl";
import { describe, expect, it } from "vitest";

const tau = 0.3;
const gamma = 0.9;

function randomTrajectory(steps: number, size: number, random: Random) {
  const trajectory = emptyTrajectory(steps, size);
  for (let i = 0; i < steps * size; i++) {
    trajectory.rewards[i] = random.uniform(-1, 1);
    trajectory.kl[i] = random.uniform(0, 2);
    trajectory.values[i] = random.uniform(-3, 3);
    const ending = random.integer(6);
    trajectory.terminated[i] = ending === 0 ? 1 : 0;
    trajectory.truncated[i] = ending === 1 ? 1 : 0;
  }
  const last = stateValues(Float64Array.from({ length: size }, () => random.uniform(-3, 3)));
  const final = stateValues(Float64Array.from({ length: steps * size }, () => random.uniform(-3, 3)));
  successorValuesInto(trajectory.values, last, final, trajectory.truncated, trajectory.bootstrapValues);
  return trajectory;
}

/**
 * The discounted return from one start, summed without δ: at most n rewards minus their KL, then the value of
 * the state reached, unless the episode terminated.
 */
function slowReturn(trajectory: Trajectory, start: number, environment: number, n: number): number {
  const { size, steps, rewards, kl, bootstrapValues, terminated, truncated } = trajectory;
  let total = 0;
  for (let d = 0; d < n && start + d < steps; d++) {
    const i = (start + d) * size + environment;
    total += gamma ** d * (rewards[i] - tau * kl[i]);
    const isLast = d === n - 1 || start + d === steps - 1;
    if (terminated[i]) return total;
    if (truncated[i] || isLast) return total + gamma ** (d + 1) * bootstrapValues[i];
  }
  return total;
}

/** (1 − λ) Σ λ^{k−1} (k-step return), with all the remaining weight on the longest return. */
function slowLambdaReturn(
  trajectory: Trajectory,
  start: number,
  environment: number,
  lambda: number,
): number {
  let longest = trajectory.steps - start;
  for (let d = longest - 1; d >= 0; d--) {
    const i = (start + d) * trajectory.size + environment;
    if (trajectory.terminated[i] || trajectory.truncated[i]) longest = d + 1;
  }
  let total = 0;
  for (let k = 1; k < longest; k++) {
    total += (1 - lambda) * lambda ** (k - 1) * slowReturn(trajectory, start, environment, k);
  }
  return total + lambda ** (longest - 1) * slowReturn(trajectory, start, environment, longest);
}

describe("returns", () => {
  const random = new RandomStreams(5).stream("returns");
  const trajectory = randomTrajectory(17, 4, random);
  const length = 17 * 4;
  const delta = new Float64Array(length);
  softTemporalDifferencesInto(trajectory, tau, gamma, delta);

  it("soft TD errors stop the value at a termination and keep it at a truncation (36)", () => {
    let terminations = 0;
    let truncations = 0;
    for (let i = 0; i < length; i++) {
      const bonus = trajectory.rewards[i] - tau * trajectory.kl[i] - trajectory.values[i];
      terminations += trajectory.terminated[i];
      truncations += trajectory.truncated[i];
      const successor = trajectory.terminated[i] ? 0 : gamma * trajectory.bootstrapValues[i];
      expect(delta[i]).toBeCloseTo(bonus + successor, 14);
    }
    expect(Math.min(terminations, truncations)).toBeGreaterThan(4);
  });

  it("does not read the value of the successor at a termination", () => {
    const unread = { ...trajectory, bootstrapValues: stateValues(trajectory.bootstrapValues.slice()) };
    for (let i = 0; i < length; i++) if (unread.terminated[i]) unread.bootstrapValues[i] = Number.NaN;
    const other = new Float64Array(length);
    softTemporalDifferencesInto(unread, tau, gamma, other);
    expect(other).toEqual(delta);
  });

  it("n-step advantages are the n-step return minus the value, for every n", () => {
    for (const n of [1, 2, 5, 16, 17, 40, Number.POSITIVE_INFINITY]) {
      const advantages = new Float64Array(length);
      nStepAdvantagesInto(trajectory, delta, gamma, n, advantages);
      for (let i = 0; i < length; i++) {
        const slow = slowReturn(trajectory, Math.floor(i / 4), i % 4, n) - trajectory.values[i];
        expect(advantages[i]).toBeCloseTo(slow, 12);
      }
    }
  });

  it("λ advantages are a mixture of n-step advantages, for every λ", () => {
    for (const lambda of [0, 0.35, 0.95, 1]) {
      const advantages = new Float64Array(length);
      lambdaAdvantagesInto(trajectory, delta, gamma, lambda, advantages);
      for (let i = 0; i < length; i++) {
        const slow = slowLambdaReturn(trajectory, Math.floor(i / 4), i % 4, lambda) - trajectory.values[i];
        expect(advantages[i]).toBeCloseTo(slow, 12);
      }
    }
  });

  it("value targets are V + Δ and soft-Q targets τ KL + V + Δ", () => {
    const advantages = new Float64Array(length);
    nStepAdvantagesInto(trajectory, delta, gamma, 1, advantages);
    const valueTargets = stateValues(new Float64Array(length));
    const softQTargets = qValues(new Float64Array(length));
    valueTargetsInto(trajectory.values, advantages, valueTargets);
    softQTargetsInto(trajectory.kl, tau, trajectory.values, advantages, softQTargets);
    for (let i = 0; i < length; i++) {
      const successor = trajectory.terminated[i] ? 0 : gamma * trajectory.bootstrapValues[i];
      expect(valueTargets[i]).toBeCloseTo(trajectory.rewards[i] - tau * trajectory.kl[i] + successor, 13);
      // One step: y = r + γ V(s'), without the KL of the step itself.
      expect(softQTargets[i]).toBeCloseTo(trajectory.rewards[i] + successor, 13);
    }
  });

  it("λ-targets are the λ-return of Q, summed slowly, over 1,000 random trajectories", () => {
    let [terminations, truncations] = [0, 0];
    for (let run = 0; run < 1000; run++) {
      const [steps, size] = [1 + random.integer(9), 1 + random.integer(3)];
      const sampled = randomTrajectory(steps, size, random);
      const lambda = run < 20 ? run % 2 : random.float();
      const targets = qValues(new Float64Array(steps * size));
      lambdaTargetsInto(sampled, tau, gamma, lambda, targets);
      for (let i = 0; i < targets.length; i++) {
        terminations += sampled.terminated[i];
        truncations += sampled.truncated[i];
        // The return of a state counts the KL of its first step, that of an action does not.
        const ofState = slowLambdaReturn(sampled, Math.floor(i / size), i % size, lambda);
        expect(targets[i]).toBeCloseTo(ofState + tau * sampled.kl[i], 12);
      }
    }
    expect(Math.min(terminations, truncations)).toBeGreaterThan(1000);
  });

  it("λ-targets of the soft backup are soft Q-learning's y = τ KL + V + Δ with TD(λ)'s Δ (§3.5)", () => {
    const [targets, softQTargets] = [qValues(new Float64Array(length)), qValues(new Float64Array(length))];
    const advantages = new Float64Array(length);
    for (const lambda of [0, 0.65, 1]) {
      lambdaTargetsInto(trajectory, tau, gamma, lambda, targets);
      lambdaAdvantagesInto(trajectory, delta, gamma, lambda, advantages);
      softQTargetsInto(trajectory.kl, tau, trajectory.values, advantages, softQTargets);
      for (let i = 0; i < length; i++) expect(targets[i]).toBeCloseTo(softQTargets[i], 13);
    }
  });

  it("λ-targets read no value after a termination", () => {
    const unread = { ...trajectory, bootstrapValues: stateValues(trajectory.bootstrapValues.slice()) };
    for (let i = 0; i < length; i++) if (unread.terminated[i]) unread.bootstrapValues[i] = Number.NaN;
    const [targets, same] = [qValues(new Float64Array(length)), qValues(new Float64Array(length))];
    lambdaTargetsInto(trajectory, tau, gamma, 0.65, targets);
    lambdaTargetsInto(unread, tau, gamma, 0.65, same);
    expect(same).toEqual(targets);
  });

  it("successor values come from the next row, the last values, or the final observation at a truncation", () => {
    const truncated = truncatedFlags(4);
    truncated[1] = 1;
    const successors = stateValues(new Float64Array(4));
    successorValuesInto(
      stateValues(Float64Array.of(1, 2, 3, 4)),
      stateValues(Float64Array.of(5, 6)),
      stateValues(Float64Array.of(70, 80, 90, 100)),
      truncated,
      successors,
    );
    expect([...successors]).toEqual([3, 80, 5, 6]);
  });

  it("refuses arrays of the wrong length and n, γ, λ out of range", () => {
    const out = new Float64Array(length);
    const short = { ...trajectory, values: stateValues(new Float64Array(3)) };
    expect(() => softTemporalDifferencesInto(short, tau, gamma, out)).toThrow(
      /values has the wrong length, expected 68, got 3/,
    );
    expect(() => nStepAdvantagesInto(trajectory, delta, gamma, 0, out)).toThrow(/n is out of range/);
    expect(() => nStepAdvantagesInto(trajectory, delta, 1.1, 2, out)).toThrow(/gamma is out of range/);
    expect(() => lambdaAdvantagesInto(trajectory, delta, gamma, Number.NaN, out)).toThrow(/lambda/);
    expect(() => lambdaTargetsInto(trajectory, tau, gamma, 1.5, qValues(out))).toThrow(/lambda/);
    expect(() => lambdaTargetsInto(trajectory, -1, gamma, 1, qValues(out))).toThrow(/tau is out of range/);
    expect(() => lambdaTargetsInto(trajectory, tau, gamma, 1, qValues(new Float64Array(3)))).toThrow(
      /targets has the wrong length, expected 68, got 3/,
    );
  });
});
