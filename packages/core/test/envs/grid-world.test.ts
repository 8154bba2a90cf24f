import { type Environment, GridWorld, RandomStreams, validateFiniteMdp, vectorize } from "softrl";
import { describe, expect, it } from "vitest";

const [up, right, down, left] = [0, 1, 2, 3];

/** Resets the grid and takes these actions; returns the observed cells and the rewards. */
function play(grid: Environment, actions: readonly number[]): { cells: number[]; rewards: number[] } {
  const observation = new Float32Array(
    grid.observationSpace.kind === "box" ? grid.observationSpace.shape[0] : 0,
  );
  grid.reset(new RandomStreams(1).stream("test"), observation);
  const cells = [observation.indexOf(1)];
  const rewards: number[] = [];
  for (const action of actions) {
    rewards.push(grid.step(action, observation).reward);
    cells.push(observation.indexOf(1));
    expect(observation.reduce((sum, x) => sum + x, 0)).toBe(1);
  }
  return { cells, rewards };
}

describe("GridWorld", () => {
  it("moves, and stays in place at a wall or an edge", () => {
    // Cells in reading order, without the wall in the middle of the top row: 0 # 1 / 2 3 4.
    const grid = new GridWorld({ layout: [".#.", "S.G"], slip: 0, stepReward: -1, goalReward: 10 });
    const { cells, rewards } = play(grid, [left, down, up, right, down, right, up, right]);
    expect(cells).toEqual([2, 2, 2, 0, 0, 2, 3, 3, 4]);
    expect(rewards).toEqual([-1, -1, -1, -1, -1, -1, -1, 9]);
  });

  it("terminates in goals and pits only", () => {
    const grid = new GridWorld({ layout: ["XSG"], slip: 0, pitReward: -5, stepReward: 0 });
    const observation = new Float32Array(3);
    const random = new RandomStreams(1).stream("test");
    for (const [action, reward, terminated] of [
      [left, -5, true],
      [right, 1, true],
      [up, 0, false],
    ] as const) {
      grid.reset(random, observation);
      expect(grid.step(action, observation)).toEqual({ reward, terminated, truncated: false });
    }
  });

  it("has the right exact process for a corridor, computed by hand", () => {
    const { mdp } = new GridWorld({ layout: ["S.G"], slip: 0.2, stepReward: -1, goalReward: 10 });
    validateFiniteMdp(mdp);
    expect([mdp.states, mdp.actions]).toEqual([3, 4]);
    const row = (s: number, a: number) =>
      Array.from(mdp.transitions.subarray((s * 4 + a) * 3, (s * 4 + a) * 3 + 3));
    expect(row(1, right)).toEqual([0, 0.2, 0.8]);
    expect(row(1, up)).toEqual([0.1, 0.8, 0.1]);
    expect(row(0, left)).toEqual([1, 0, 0]);
    expect(row(2, left)).toEqual([0, 0, 1]);
    expect(mdp.rewards[1 * 4 + right]).toBeCloseTo(-1 + 0.8 * 10, 12);
    expect(mdp.rewards[1 * 4 + up]).toBeCloseTo(-1 + 0.1 * 10, 12);
    expect(Array.from(mdp.rewards.subarray(8))).toEqual([0, 0, 0, 0]);
    expect(Array.from(mdp.terminal)).toEqual([0, 0, 1]);
    expect(Array.from(mdp.initial)).toEqual([1, 0, 0]);
  });

  it("simulates its exact process: frequencies and rewards within five standard deviations", () => {
    const options = { layout: ["S..G", ".#.X", "SS.."], slip: 0.3, stepReward: -0.1 };
    const { mdp } = new GridWorld(options);
    const size = 50;
    const grids = vectorize("GridWorld", () => new GridWorld(options), size, { maxEpisodeSteps: 30 });
    const streams = new RandomStreams(2024);
    const choose = streams.stream("test", "actions");
    grids.reset(streams);
    const { states, actions } = mdp;
    const visits = new Float64Array(states * actions);
    const counts = new Float64Array(states * actions * states);
    const rewards = new Float64Array(states * actions);
    const starts = new Float64Array(states);
    const cell = (all: typeof grids.observations, i: number) =>
      all.subarray(i * states, (i + 1) * states).indexOf(1);
    let episodes = 0;
    let wrongEndings = 0;
    for (let t = 0; t < 6000; t++) {
      const before = Array.from({ length: size }, (_, i) => cell(grids.observations, i));
      const taken = Int32Array.from({ length: size }, () => choose.integer(actions));
      grids.step(taken);
      for (let i = 0; i < size; i++) {
        const row = before[i] * actions + taken[i];
        const after = cell(grids.episodeEnded[i] ? grids.finalObservations : grids.observations, i);
        visits[row]++;
        counts[row * states + after]++;
        rewards[row] += grids.rewards[i];
        if (grids.terminated[i] !== mdp.terminal[after]) wrongEndings++;
        if (!grids.episodeEnded[i]) continue;
        episodes++;
        starts[cell(grids.observations, i)]++;
      }
    }
    const withinFive = (count: number, n: number, p: number) =>
      expect(Math.abs(count - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p)));
    let rows = 0;
    for (let row = 0; row < states * actions; row++) {
      if (visits[row] === 0) continue;
      rows++;
      for (let s = 0; s < states; s++) {
        withinFive(counts[row * states + s], visits[row], mdp.transitions[row * states + s]);
      }
      // Rewards lie in [-1.1, 0.9], so their standard deviation is at most 1.
      expect(Math.abs(rewards[row] / visits[row] - mdp.rewards[row])).toBeLessThan(
        5 / Math.sqrt(visits[row]),
      );
    }
    expect(wrongEndings).toBe(0);
    expect(rows).toBe(9 * actions);
    expect(episodes).toBeGreaterThan(10000);
    for (let s = 0; s < states; s++) withinFive(starts[s], episodes, mdp.initial[s]);
  });

  it.each<[ConstructorParameters<typeof GridWorld>[0], RegExp]>([
    [{ layout: [] }, /the layout is empty/],
    [{ layout: ["S.", "G"] }, /row 1 of the layout has a different length, expected 2, got 1 \("G"\)/],
    [{ layout: ["S?G"] }, /unknown letter in row 0, column 1, expected one of S \. G X #, got "\?"/],
    [{ layout: ["..G"] }, /no start/],
    [{ slip: 1.5 }, /slip is out of range/],
    [{ slip: Number.NaN }, /slip is out of range/],
    [{ goalReward: Infinity }, /goalReward is out of range/],
  ])("refuses %o", (options, message) => {
    expect(() => new GridWorld(options)).toThrow(message);
  });

  it("refuses to step without an episode, and to restore a cell that it does not have", () => {
    const observation = new Float32Array(3);
    const grid = new GridWorld({ layout: ["SG."], slip: 0 });
    expect(() => grid.step(right, observation)).toThrow(/no episode has begun/);
    grid.reset(new RandomStreams(1).stream("test"), observation);
    expect(() => grid.step(4, observation)).toThrow(/action is out of range/);
    grid.step(right, observation);
    expect(() => grid.step(right, observation)).toThrow(/the episode has ended/);
    expect(() => grid.restore({ cell: 3 })).toThrow(/no such cell/);
    expect(() => grid.restore({})).toThrow(/"cell" of the snapshot does not fit/);
  });
});
