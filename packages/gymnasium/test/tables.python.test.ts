import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  cliffWalking,
  frozenLake,
  logPrior,
  mdpOf,
  reachableStates,
  softPolicyIteration,
  softValueIteration,
  type TabularEnvironment,
  taxi,
} from "softrl";
import { describe, expect, inject, it } from "vitest";

const python = inject("python");

/** The output of tables.py. */
interface Table {
  /** P[s][a]: probability, next state, reward, whether it ends the episode. */
  readonly P: readonly (readonly (readonly [number, number, number, boolean][])[])[];
  readonly start: readonly number[];
  readonly optima: readonly { readonly gamma: number; readonly tau: number; readonly start: number }[];
}

async function gymnasiumTable(
  id: string,
  options: object,
  problems: readonly (readonly (number | null)[])[],
): Promise<Table> {
  const script = fileURLToPath(new URL("tables.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, JSON.stringify({ id, options, problems })], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

const worlds: readonly {
  readonly name: string;
  readonly id: string;
  readonly options: object;
  readonly make: () => TabularEnvironment;
  /** γ, τ, and the known optimal value of the start to three digits; null if unknown. */
  readonly problems: readonly (readonly [gamma: number, tau: number, known: number | null])[];
}[] = [
  {
    name: "FrozenLake-v1",
    id: "FrozenLake-v1",
    options: {},
    make: () => frozenLake("4x4", 1),
    problems: [
      [0.99, 0, 0.542],
      [0.99, 0.01, null],
    ],
  },
  {
    name: "FrozenLake-v1, not slippery",
    id: "FrozenLake-v1",
    options: { is_slippery: false },
    make: () => frozenLake("4x4", 1, { slippery: false }),
    problems: [
      [0.99, 0, 0.99 ** 5],
      [0.9, 0.1, null],
    ],
  },
  {
    name: "FrozenLake8x8-v1",
    id: "FrozenLake8x8-v1",
    options: {},
    make: () => frozenLake("8x8", 1),
    problems: [
      [0.99, 0, 0.415],
      [0.95, 0.01, null],
    ],
  },
  {
    name: "FrozenLake8x8-v1, not slippery",
    id: "FrozenLake8x8-v1",
    options: { is_slippery: false },
    make: () => frozenLake("8x8", 1, { slippery: false }),
    problems: [[0.99, 0, 0.99 ** 13]],
  },
  {
    name: "CliffWalking-v1",
    id: "CliffWalking-v1",
    options: {},
    make: () => cliffWalking(1),
    problems: [
      [1, 0, -13],
      [0.9, 0.5, null],
    ],
  },
  {
    name: "CliffWalking-v1, slippery",
    id: "CliffWalking-v1",
    options: { is_slippery: true },
    make: () => cliffWalking(1, { slippery: true }),
    problems: [[0.99, 0, null]],
  },
  {
    name: "Taxi-v4",
    id: "Taxi-v4",
    options: {},
    make: () => taxi(1),
    problems: [
      [1, 0, 7.93],
      [0.9, 0.1, null],
    ],
  },
];

describe.each(worlds)("mdpOf $name, beside the installed Gymnasium's env.unwrapped.P", (world) => {
  it("has the same P, R and terminal states, and the same optimum as NumPy's value iteration", async () => {
    const table = await gymnasiumTable(world.id, world.options, world.problems);
    const mdp = mdpOf(world.make());
    if (!("transitions" in mdp)) throw new Error("expected a dense process");
    const { states, actions, transitions, rewards, terminal, initial } = mdp;
    expect([states, actions]).toEqual([table.P.length, table.P[0].length]);
    expect(Array.from(initial)).toEqual(table.start.map((p) => expect.closeTo(p, 15)));

    const ends = new Uint8Array(states);
    for (const [, next, , ended] of table.P.flat(2)) if (ended) ends[next] = 1;
    let compared = 0;
    reachableStates(mdp).forEach((reachable, s) => {
      if (reachable === 0) return;
      expect(terminal[s], `state ${s} ends`).toBe(ends[s]);
      if (ends[s] === 1) return;
      compared++;
      for (let a = 0; a < actions; a++) {
        const row = new Float64Array(states);
        let reward = 0;
        for (const [probability, next, gain, ended] of table.P[s][a]) {
          row[next] += probability;
          reward += probability * gain;
          // Every transition into a terminal state ends the episode; otherwise the state could not be marked terminal.
          expect(ends[next] === 1, `state ${s}, action ${a}`).toBe(ended);
        }
        const at = s * actions + a;
        expect(transitions.subarray(at * states, (at + 1) * states)).toEqual(row);
        expect(rewards[at]).toBe(reward);
      }
    });
    expect(compared).toBeGreaterThan(states / 2);

    for (const [i, [gamma, tau, known]] of world.problems.entries()) {
      const problem = { mdp, logPrior: logPrior(new Float64Array(states * actions)), gamma, tau };
      const worth = (v: Float64Array) => initial.reduce((sum, p, s) => sum + p * v[s], 0);
      expect(worth(softValueIteration(problem).v)).toBeCloseTo(table.optima[i].start, 8);
      expect(worth(softPolicyIteration(problem).v)).toBeCloseTo(table.optima[i].start, 8);
      if (known !== null) expect(table.optima[i].start).toBeCloseTo(known, 2);
    }
  });
});
