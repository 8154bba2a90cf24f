import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
} from "@softrl/gymnasium";
import { a2c, createTrainer, createWasmExecutor, RandomStreams, type Snapshot } from "softrl";
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

/** The transports and numbers of processes with which the contract is tested. */
const setups: readonly Pick<GymnasiumConfig, "transport" | "processes">[] = [
  { transport: "stdio", processes: 1 },
  { transport: "shared memory", processes: 1 },
  { transport: "shared memory", processes: 2 },
];

for (const setup of setups) {
  const contract = (
    config: Pick<GymnasiumConfig, "id" | "training" | "protocol">,
    expected: Parameters<typeof environmentContract>[2],
  ) =>
    environmentContract(
      `${config.id}${config.training ? "" : ", evaluation"}${config.protocol === "sticky" ? ", sticky" : ""}: ${setup.transport}, ${setup.processes}`,
      (size) => createGymnasiumEnvironment({ ...config, size, python, trustStates: true, ...setup }),
      expected,
    );
  contract(
    { id: "CartPole-v1", training: true },
    {
      isTerminal: ([x, , angle]) => Math.abs(x) > 2.4 || Math.abs(angle) > (12 * Math.PI) / 180,
      meets: ["termination"],
    },
  );
  contract({ id: "FrozenLake-v1", training: true }, { meets: ["termination"] });
  contract({ id: "MountainCar-v0", training: true }, { meets: ["truncation"] });
  contract({ id: "ALE/Pong-v5", training: true }, { meets: ["termination"], steps: 1100 });
  contract({ id: "ALE/Breakout-v5", training: true }, { meets: ["termination"], clipsRewards: true });
  contract(
    { id: "ALE/Breakout-v5", training: true, protocol: "sticky" },
    { meets: ["termination"], clipsRewards: true },
  );
  contract({ id: "QbertNoFrameskip-v4", training: false }, { meets: ["termination"] });
}

it("gives the same bytes with every transport and number of processes, and restores across them", async () => {
  const trace = async (environment: GymnasiumEnvironment, steps: number, from: number) => {
    let hash = 0;
    for (let t = from; t < from + steps; t++) {
      await environment.step(Int32Array.from({ length: 5 }, (_, i) => (t * 7 + i * 3) % 4));
      for (const array of [environment.observations, environment.rewards, environment.terminated]) {
        hash = crc32(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), hash);
      }
      for (const [i, ended] of environment.terminated.entries()) {
        if (ended) hash = crc32(environment.finalObservations.subarray(i * 28224, (i + 1) * 28224), hash);
      }
    }
    return hash;
  };
  const config = { id: "ALE/Breakout-v5", size: 5, training: true } as const;
  const outcomes: unknown[] = [];
  let middle: Snapshot | null = null;
  for (const setup of setups) {
    const environment = await make({ ...config, ...setup });
    expect(environment.transport).toBe(setup.transport);
    expect(environment.pids).toHaveLength(setup.processes ?? 0);
    await environment.reset(new RandomStreams(11));
    const first = await trace(environment, 200, 0);
    const state = await environment.save();
    outcomes.push([first, state, await trace(environment, 200, 200)]);
    // Restores the state that the previous setup has saved.
    if (middle !== null) {
      await environment.restore(middle);
      outcomes.push([first, state, await trace(environment, 200, 200)]);
    }
    middle = state;
  }
  expect(outcomes).toHaveLength(5);
  for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
});

it.each(["CartPole-v0", "Taxi-v4"])(
  "%s: a restored environment saves the bytes of one that was never restored",
  async (id) => {
    const config = { id, size: 2, training: true, trustStates: true } as const;
    const uninterrupted = await make(config);
    await uninterrupted.reset(new RandomStreams(13));
    const play = async (environment: GymnasiumEnvironment) => {
      for (let t = 0; t < 30; t++) await environment.step(Int32Array.of(t % 2, 1));
    };
    await play(uninterrupted);
    let state = await uninterrupted.save();
    for (let restart = 0; restart < 2; restart++) {
      const restored = await make(config);
      if (state === null) throw new Error("not saved");
      await restored.restore(state);
      await play(restored);
      await play(uninterrupted);
      state = await restored.save();
      expect(state).toEqual(await uninterrupted.save());
    }
  },
);

it("gives the same bytes whether or not there is a pause between send and receive", async () => {
  const bytes: number[] = [];
  for (const pauses of [false, true]) {
    const environment = await make({ id: "ALE/Pong-v5", size: 4, training: true, processes: 2 });
    await environment.reset(new RandomStreams(12));
    for (let t = 0; t < 100; t++) {
      environment.send(Int32Array.of(t % 6, 2, 3, (t + 3) % 6));
      if (pauses && t % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await environment.receive();
    }
    bytes.push(crc32(environment.observations));
  }
  expect(bytes[1]).toBe(bytes[0]);
});

it("learns the same bytes whether or not the two halves step separately", async () => {
  const parameters: Snapshot[] = [];
  const executor = await createWasmExecutor();
  for (const way of [
    { processes: 1 },
    { processes: 2, overlap: false },
    { processes: 2 },
    { processes: 4 },
  ]) {
    const environment = await make({ id: "PongNoFrameskip-v4", size: 4, training: true, ...way });
    expect(environment.parts?.length ?? 1).toBe("overlap" in way || way.processes === 1 ? 1 : 2);
    const settings = { run: { seed: 13 } };
    const trainer = createTrainer({ algorithm: a2c, environment, executor, settings });
    await trainer.start();
    for (let i = 0; i < 4; i++) await trainer.iterate();
    parameters.push(trainer.algorithm.policy.save());
  }
  for (const learned of parameters) expect(learned).toEqual(parameters[0]);
});

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
    const environment = await make({ id, size: 1, training: false });
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
        // Gymnasium's wrapper shows a stale frame if a game ends within a skip; all earlier ones must be equal.
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
  it("ends an episode at a lost life, and the game only after the last life", async () => {
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

  it("clips rewards in training only, and always reports unclipped scores", async () => {
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

  it("follows all rules of classic or all rules of sticky", async () => {
    const script = fileURLToPath(new URL("protocols.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script]);
    const facts = JSON.parse(stdout);
    const { classic, sticky } = facts;
    expect(classic).toMatchObject({ actions: 4, repeated: 0, lifeEnds: 1, lifeEndsInEvaluation: 0 });
    expect(sticky).toMatchObject({ actions: 18, lifeEnds: 0, lifeEndsInEvaluation: 0 });
    // Three standard deviations of about 2600 frames.
    expect(Math.abs(sticky.repeated - 0.25)).toBeLessThan(0.025);
    // Every number from 1 to 30, as in Gymnasium's wrapper; AtariVectorEnv draws 0 to 29.
    expect(new Set(classic.noops)).toEqual(new Set(Array.from({ length: 30 }, (_, i) => i + 1)));
    expect(new Set(sticky.noops)).toEqual(new Set([0]));
    expect([classic.fires, sticky.fires]).toEqual([0, 0]);
    // The sum over the four frames is clipped, not each frame.
    expect([classic.clipped, classic.raw]).toEqual([1, 4]);
    // Otherwise OpenCV would be compared with itself.
    expect(facts.compiled).toBe(true);
    expect(facts.differing).toEqual({ stacks: 0, compared: 1600 });
  });

  it("refuses to mix the two", async () => {
    const mixed = (config: Partial<GymnasiumConfig>) =>
      make({ id: "ALE/Pong-v5", size: 1, training: true, ...config });
    await expect(mixed({ id: "PongNoFrameskip-v4", protocol: "sticky" })).rejects.toThrow(
      /atariProtocol does not go with PongNoFrameskip-v4, expected "classic".*ALE\/Pong-v5/,
    );
    await expect(mixed({ id: "PongNoFrameskip-v0" })).rejects.toThrow(/expected "sticky"/);
    await expect(mixed({ options: { repeat_action_probability: 0.25 } })).rejects.toThrow(
      /repeat_action_probability is determined by the Atari protocol/,
    );
    await expect(mixed({ options: { full_action_space: true } })).rejects.toThrow(
      /full_action_space is determined by the Atari protocol/,
    );
    const classic = await mixed({});
    await classic.reset(new RandomStreams(1));
    const state = await classic.save();
    if (state === null) throw new Error("Pong's state can be saved");
    const sticky = await mixed({ protocol: "sticky" });
    await expect(sticky.restore(state)).rejects.toThrow(/state was saved under classic, not sticky/);
  });

  it("accepts the emulator's options and refuses others", async () => {
    const environment = await make({
      id: "ALE/Pong-v5",
      size: 1,
      training: true,
      protocol: "sticky",
      options: { max_num_frames_per_episode: 400 },
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

  it("says what it was made with, as a configuration holds it", async () => {
    const options = { is_slippery: false };
    const lake = await make({ id: "FrozenLake-v1", size: 1, training: true, options });
    expect(lake).toMatchObject({ options });
    expect(lake.atariProtocol).toBeUndefined();
    const pong = await make({ id: "ALE/Pong-v5", size: 1, training: true, protocol: "sticky" });
    expect(pong).toMatchObject({ options: {}, atariProtocol: "sticky" });
    const none = { desc: null };
    expect(
      (await make({ id: "FrozenLake-v1", size: 1, training: true, options: none })).options,
    ).toBeUndefined();
  });

  it.each([
    ["Breakout-v4", {}, "Breakout"],
    ["SpaceInvaders", {}, "SpaceInvaders"],
    ["ALE/Pong", { obs_type: "grayscale" }, "Pong"],
    ["Pong-v4", { obs_type: "ram" }, null],
    ["ALE/Pong-v5", {}, null],
    ["CartPole-v1", {}, null],
  ])("reports for %s, %j the game whose raw frames it shows: %s", async (id, options, game) => {
    expect((await make({ id, size: 1, training: true, options })).rawGame).toBe(game);
  });
});
