import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  Acrobot,
  CartPole,
  cliffWalking,
  frozenLake,
  MountainCar,
  RandomStreams,
  type TabularEnvironment,
  taxi,
} from "softrl";
import { describe, expect, inject, it } from "vitest";

const python = inject("python");
const COUNT = 10_000;

interface Transitions {
  readonly states: Float64Array;
  readonly actions: Int32Array;
  readonly observations: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
}

/** Transitions of the real Gymnasium from `COUNT` given states. */
function transitionsOf(id: string, stateWidth: number, observationWidth: number): Transitions {
  const script = fileURLToPath(new URL("twins.py", import.meta.url));
  const bytes = execFileSync(python, [script, id, String(COUNT)], { maxBuffer: 2 ** 26 });
  let at = 0;
  const next = (length: number) => {
    at += length;
    return new Uint8Array(bytes.subarray(at - length, at)).buffer;
  };
  const transitions = {
    states: new Float64Array(next(8 * COUNT * stateWidth)),
    actions: new Int32Array(next(4 * COUNT)),
    observations: new Float32Array(next(4 * COUNT * observationWidth)),
    rewards: new Float64Array(next(8 * COUNT)),
    terminated: new Uint8Array(next(COUNT)),
  };
  expect(at).toBe(bytes.length);
  return transitions;
}

/** The position of x in the ordered sequence of all float32 numbers. */
function ordinal(x: number): number {
  const [bits] = new Int32Array(Float32Array.of(x).buffer);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

describe(`${COUNT} single transitions of the real Gymnasium from the same states`, () => {
  it.each([
    ["CartPole-v1", new CartPole(COUNT), 4, 500],
    ["Acrobot-v1", new Acrobot(COUNT), 4, 500],
    ["MountainCar-v0", new MountainCar(COUNT), 2, 500],
  ] as const)(
    "%s: equal in float32, except the last bit of at most 1 number in 200",
    (id, twin, stateWidth, endings) => {
      const width = twin.observations.length / COUNT;
      const real = transitionsOf(id, stateWidth, width);
      twin.reset(new RandomStreams(1));
      for (let i = 0; i < COUNT; i++) {
        twin.setState(i, real.states.subarray(i * stateWidth, (i + 1) * stateWidth));
      }
      twin.step(real.actions);
      expect(Array.from(twin.terminated)).toEqual(Array.from(real.terminated));
      expect(Array.from(twin.rewards)).toEqual(Array.from(real.rewards));
      expect(real.terminated.filter((ended) => ended === 1).length).toBeGreaterThan(endings);
      let differing = 0;
      let most = 0;
      for (let at = 0; at < real.observations.length; at++) {
        const from = twin.terminated[Math.floor(at / width)] ? twin.finalObservations : twin.observations;
        if (from[at] === real.observations[at]) continue;
        differing++;
        most = Math.max(most, Math.abs(ordinal(from[at]) - ordinal(real.observations[at])));
      }
      expect(differing).toBeLessThanOrEqual(0.005 * real.observations.length);
      expect(most).toBeLessThanOrEqual(1);
    },
  );

  it.each([
    ["FrozenLake-v1", () => frozenLake("4x4", 1)],
    ["FrozenLake8x8-v1", () => frozenLake("8x8", 1)],
    ["CliffWalking-v1", () => cliffWalking(1)],
    ["Taxi-v4", () => taxi(1)],
  ] as const)(
    "%s: each is possible in our table, and they have its frequencies",
    (id, make: () => TabularEnvironment) => {
      const real = transitionsOf(id, 1, 1);
      const { mdp } = make();
      // Counts how often the most likely outcome occurs, and compares it with its expectation in our table.
      let count = 0;
      let expected = 0;
      let variance = 0;
      for (let i = 0; i < COUNT; i++) {
        const row = real.states[i] * mdp.actions + real.actions[i];
        const next = real.observations[i];
        const chances = mdp.transitions.subarray(row * mdp.states, (row + 1) * mdp.states);
        expect(chances[next], `${id}: ${real.states[i]}, ${real.actions[i]} to ${next}`).toBeGreaterThan(0);
        expect(mdp.terminal[next]).toBe(real.terminated[i]);
        const likeliest = chances.indexOf(Math.max(...chances));
        count += next === likeliest ? 1 : 0;
        expected += chances[likeliest];
        variance += chances[likeliest] * (1 - chances[likeliest]);
        if (chances[next] === 1) expect(mdp.rewards[row]).toBe(real.rewards[i]);
        else expect(real.rewards[i] === 0 || real.rewards[i] === 1).toBe(true);
      }
      expect(Math.abs(count - expected)).toBeLessThanOrEqual(5 * Math.sqrt(variance));
      if (id.startsWith("FrozenLake")) expect(variance).toBeGreaterThan(1000);
      else expect(variance).toBe(0);
    },
  );
});
