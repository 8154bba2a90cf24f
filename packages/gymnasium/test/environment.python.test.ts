import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
} from "@softrl/gymnasium";
import { RandomStreams } from "softrl";
import { afterEach, describe, expect, inject, it } from "vitest";
import { environmentContract } from "../../core/test/envs/contract.js";

const python = inject("python");
const open: GymnasiumEnvironment[] = [];

async function make(config: Omit<GymnasiumConfig, "python">): Promise<GymnasiumEnvironment> {
  const environment = await createGymnasiumEnvironment({ python, ...config });
  open.push(environment);
  return environment;
}

afterEach(async () => {
  for (const environment of open.splice(0)) await environment.close();
});

environmentContract(
  "bridged CartPole-v1",
  (size) => createGymnasiumEnvironment({ id: "CartPole-v1", size, training: true, python }),
  {
    isTerminal: ([x, , angle]) => Math.abs(x) > 2.4 || Math.abs(angle) > (12 * Math.PI) / 180,
    meets: ["termination"],
  },
);
environmentContract(
  "bridged FrozenLake-v1",
  (size) => createGymnasiumEnvironment({ id: "FrozenLake-v1", size, training: true, python }),
  { meets: ["termination"] },
);
environmentContract(
  "bridged MountainCar-v0",
  (size) => createGymnasiumEnvironment({ id: "MountainCar-v0", size, training: true, python }),
  { meets: ["truncation"] },
);
environmentContract(
  "ALE/Pong-v5 in training",
  (size) => createGymnasiumEnvironment({ id: "ALE/Pong-v5", size, training: true, python }),
  { meets: ["termination"], steps: 1100 },
);
environmentContract(
  "ALE/Breakout-v5 in training",
  (size) => createGymnasiumEnvironment({ id: "ALE/Breakout-v5", size, training: true, python }),
  { meets: ["termination"], clipsRewards: true },
);
environmentContract(
  "QbertNoFrameskip-v4 in evaluation",
  (size) => createGymnasiumEnvironment({ id: "QbertNoFrameskip-v4", size, training: false, python }),
  { meets: ["termination"] },
);

describe("against Gymnasium and its own wrappers", () => {
  it.each([
    ["CartPole-v1", 1],
    ["Acrobot-v1", 2],
    ["MountainCar-v0", 3],
    ["PongNoFrameskip-v4", 4],
    ["BreakoutNoFrameskip-v4", 5],
    ["SeaquestNoFrameskip-v4", 6],
    ["ALE/SpaceInvaders-v5", 7],
  ])("%s gives the same bytes", async (id, seed) => {
    const atari = /^ALE|NoFrameskip/.test(id);
    const environment = await make({
      id,
      size: 1,
      training: false,
      options: atari ? { repeat_action_probability: 0 } : {},
    });
    const streams = new RandomStreams(seed);
    const random = streams.stream("actions");
    const actions = Array.from({ length: 1500 }, () => random.integer(environment.actionSpace.n));
    const request = { id, seed: streams.stream("environment", 0).uint32(), actions, atari };
    const script = fileURLToPath(new URL("reference.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(request)], {
      maxBuffer: 2 ** 26,
    });
    const expected: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");

    await environment.reset(streams);
    const digest = (all: Float32Array | Uint8Array) =>
      crc32(new Uint8Array(all.buffer, all.byteOffset, all.byteLength));
    const steps: Record<string, unknown>[] = [{ observation: digest(environment.observations) }];
    let score = 0;
    for (const action of actions) {
      await environment.step(Int32Array.of(action));
      const ended = environment.episodeEnded[0] === 1;
      score += environment.rewards[0];
      steps.push({
        // Gymnasium's wrapper shows a stale frame where a game ends within a skip; all before must be equal.
        observation:
          ended && atari
            ? expect.any(Number)
            : digest(ended ? environment.finalObservations : environment.observations),
        reward: environment.rewards[0],
        terminated: environment.terminated[0] === 1,
        truncated: environment.truncated[0] === 1,
      });
      if (ended) break;
    }
    expect(expected).toEqual(steps);
    if (environment.episodeEnded[0]) expect(environment.episodeReturns[0]).toBe(score);
    expect(steps.length).toBeGreaterThan(10);
  });
});

describe("save", () => {
  it.each(["ALE/Pong-v5", "CartPole-v1", "Taxi-v4"])(
    "%s gives the same bytes in two processes",
    async (id) => {
      const saved: unknown[] = [];
      for (let run = 0; run < 2; run++) {
        const environment = await make({ id, size: 2, training: true });
        await environment.reset(new RandomStreams(9));
        for (let t = 0; t < 250; t++) await environment.step(new Int32Array(2).fill(t % 2));
        saved.push(await environment.save());
      }
      expect(saved[0]).not.toBeNull();
      expect(saved[1]).toEqual(saved[0]);
    },
  );
});

describe("the Atari protocol", () => {
  it("ends the learner's episode at a lost life, and the game only after the last", async () => {
    const environment = await make({ id: "ALE/Breakout-v5", size: 4, training: true });
    await environment.reset(new RandomStreams(1));
    const random = new RandomStreams(1).stream("actions");
    const lives = [1, 1, 1, 1];
    let games = 0;
    let losses = 0;
    while (games < 6) {
      await environment.step(Int32Array.from(lives, () => random.integer(4)));
      for (let i = 0; i < 4; i++) {
        expect(environment.truncated[i]).toBe(0);
        if (!environment.terminated[i]) continue;
        const stack = environment.observations.subarray(i * 84 * 84 * 4, (i + 1) * 84 * 84 * 4);
        for (let at = 0; at < stack.length; at++) {
          if (stack[at] !== stack[at & ~3]) throw new Error("the new stack is not one frame four times");
        }
        if (environment.episodeEnded[i]) {
          expect(lives[i]).toBe(5);
          expect(environment.episodeLengths[i]).toBeGreaterThan(20);
          lives[i] = 1;
          games++;
        } else {
          lives[i]++;
          losses++;
        }
      }
    }
    expect(losses).toBeGreaterThanOrEqual(24);
    expect(environment.versions.alePy).toMatch(/^\d/);
  });

  it("clips rewards in training only, and tells raw scores always", async () => {
    for (const training of [true, false]) {
      const environment = await make({ id: "ALE/Qbert-v5", size: 2, training });
      await environment.reset(new RandomStreams(2));
      const random = new RandomStreams(2).stream("actions");
      let largest = 0;
      let seen = 0;
      let score = 0;
      while (!environment.episodeEnded[0]) {
        await environment.step(Int32Array.from([0, 0], () => random.integer(6)));
        largest = Math.max(largest, environment.rewards[0]);
        seen += environment.rewards[0];
        if (environment.episodeEnded[0]) score = environment.episodeReturns[0];
      }
      expect(largest).toBe(training ? 1 : 25);
      expect(score % 25).toBe(0);
      if (training) expect(score).toBeGreaterThan(seen);
      else expect(score).toBe(seen);
    }
  });

  it("repeats actions as the id says: a quarter of frames for v5, none for NoFrameskip", async () => {
    const trace = async (id: string, options: Record<string, number>) => {
      const environment = await make({ id, size: 1, training: false, options });
      await environment.reset(new RandomStreams(3));
      const random = new RandomStreams(3).stream("actions");
      let hash = 0;
      for (let t = 0; t < 200; t++) {
        await environment.step(Int32Array.of(random.integer(6)));
        hash = crc32(environment.observations, hash);
      }
      return hash;
    };
    const none = await trace("PongNoFrameskip-v4", {});
    const quarter = await trace("ALE/Pong-v5", {});
    expect(await trace("ALE/Pong-v5", { repeat_action_probability: 0 })).toBe(none);
    expect(await trace("PongNoFrameskip-v4", { repeat_action_probability: 0.25 })).toBe(quarter);
    expect(quarter).not.toBe(none);
  });

  it("takes the emulator's options and refuses others", async () => {
    const environment = await make({
      id: "ALE/Pong-v5",
      size: 1,
      training: true,
      options: { full_action_space: true, max_num_frames_per_episode: 400 },
    });
    expect(environment.actionSpace.n).toBe(18);
    await environment.reset(new RandomStreams(1));
    let steps = 0;
    while (!environment.episodeEnded[0]) {
      await environment.step(Int32Array.of(0));
      steps++;
    }
    expect(steps).toBeLessThanOrEqual(100);
    expect([environment.terminated[0], environment.truncated[0]]).toEqual([0, 1]);
    const options = { frameskip: 2 };
    await expect(make({ id: "ALE/Pong-v5", size: 1, training: true, options })).rejects.toThrow(
      /has no option frameskip, expected mode or/,
    );
  });
});
