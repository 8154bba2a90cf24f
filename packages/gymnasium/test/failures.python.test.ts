import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
} from "@softrl/gymnasium";
import { RandomStreams, SoftrlError } from "softrl";
import { afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { frameHeader } from "../src/frames.js";

const python = inject("python");
const open: GymnasiumEnvironment[] = [];

async function make(
  id: string,
  size = 1,
  config: Partial<GymnasiumConfig> = {},
): Promise<GymnasiumEnvironment> {
  const environment = await createGymnasiumEnvironment({ id, size, training: true, python, ...config });
  open.push(environment);
  return environment;
}

const misbehaving = (name: string, size = 2, config: Partial<GymnasiumConfig> = {}) =>
  make(`softrl_test_environments:${name}-v0`, size, config);

beforeAll(() => {
  process.env.PYTHONPATH = fileURLToPath(new URL("python_modules", import.meta.url));
  process.env.PYTHONDONTWRITEBYTECODE = "1";
});
afterEach(async () => {
  for (const environment of open.splice(0)) await environment.close();
});

async function steps(environment: GymnasiumEnvironment, count: number): Promise<void> {
  for (let t = 0; t < count; t++) await environment.step(new Int32Array(environment.size));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 600 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  return !isAlive(pid);
}

/** Starts another process that makes an environment, resets it and runs `work`, a program that uses it. */
function startParent(config: Partial<GymnasiumConfig>, work: string) {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    import { createGymnasiumEnvironment } from ${module("../dist/index.js")};
    import { RandomStreams } from ${module("../../core/dist/bundled.js")};
    const environment = await createGymnasiumEnvironment(${JSON.stringify({ training: true, python, ...config })});
    await environment.reset(new RandomStreams(1));
    ${work}`;
  return spawn(process.execPath, ["--input-type=module", "-e", program]);
}

describe("an environment that misbehaves", () => {
  it.each([
    [
      "NanObservation",
      /: the observation of environment 0 is not finite at step 3, expected finite numbers, got nan/,
    ],
    [
      "InfiniteReward",
      /: the reward of environment 0 is not finite at step 3, expected a finite number, got -inf/,
    ],
    [
      "WrongShape",
      /environment 0 at step 3: the observation has the wrong shape, expected \(2,\), got \(3,\)/,
    ],
    ["Raises", /environment 0 raised KeyError at step 3: 'lost/],
    ["Speaks", /environment 0 raised ValueError at step 3: red red red .*… \(\d+ characters\)/],
    ["Silent", /environment 0 raised Fault at step 3: its text cannot be read: ValueError/],
    ["Exits", /ended during step.*exit code 9, last line on stderr "so long"/],
  ])("%s: one clear error at the failing step", async (name, message) => {
    const environment = await misbehaving(name);
    await environment.reset(new RandomStreams(1));
    await steps(environment, 2);
    const error: unknown = await steps(environment, 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SoftrlError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(`softrl_test_environments:${name}-v0`);
    expect(String(error)).not.toMatch(/\p{Cc}/u);
    expect(String(error).length).toBeLessThan(1600);
    expect(environment.pids.filter(isAlive)).toEqual([]);
  });

  it("Hangs: is killed at the time limit", async () => {
    const environment = await misbehaving("Hangs", 1, { timeoutSeconds: 20 });
    await environment.reset(new RandomStreams(1));
    await steps(environment, 2);
    await expect(steps(environment, 1)).rejects.toThrow(/hangs in step, expected an answer within 20 s/);
    expect(environment.pids.filter(isAlive)).toEqual([]);
  });

  it("Prints: its input and output do not disturb the frames", async () => {
    const environment = await misbehaving("Prints");
    await environment.reset(new RandomStreams(1));
    await steps(environment, 3);
    expect(Array.from(environment.truncated)).toEqual([1, 1]);
    expect(Array.from(environment.terminated)).toEqual([0, 0]);
    expect(Array.from(environment.finalObservations)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(Array.from(environment.observations)).toEqual([0, 0, 0, 0]);
    expect(Array.from(environment.episodeReturns)).toEqual([7, 7]);
    expect(Array.from(environment.episodeLengths)).toEqual([3, 3]);
  });

  it("Forgets: save returns null instead of an incomplete state; Calm: save returns the state", async () => {
    const forgetful = await misbehaving("Forgets");
    await forgetful.reset(new RandomStreams(1));
    expect(await forgetful.save()).toBeNull();
    const calm = await misbehaving("Calm");
    await calm.reset(new RandomStreams(1));
    expect(await calm.save()).not.toBeNull();
  });

  it("Pixels: bytes stay bytes", async () => {
    const environment = await misbehaving("Pixels", 1);
    expect(environment.observationSpace).toEqual({
      kind: "box",
      shape: [2, 2, 3],
      dtype: "uint8",
      low: 0,
      high: 255,
    });
    await environment.reset(new RandomStreams(1));
    expect(Array.from(environment.observations)).toEqual(Array(12).fill(7));
    await steps(environment, 1);
    expect(Array.from(environment.observations)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });
});

describe("refuses", () => {
  it.each([
    [
      "ALE/Pung-v5",
      /the environment is unknown, expected a registered Gymnasium id, got ALE\/Pung-v5.*Pong/,
      "unknown-environment",
    ],
    ["Nowhere-v0", /the environment is unknown/, "unknown-environment"],
    ["no_such_module:Game-v0", /cannot be made: ModuleNotFoundError.*no_such_module/, "cannot-make"],
    [
      "Pendulum-v1",
      /the action space of Pendulum-v1 is not supported, expected Discrete.*got Box\(-2\.0, 2\.0/,
      "bad-input",
    ],
    [
      "Blackjack-v1",
      /the observation space of Blackjack-v1 is not supported.*got Tuple\(Discrete\(32\)/,
      "bad-input",
    ],
    [
      "LunarLander-v3",
      /needs a package that is not installed, got Box2D .*; install it into.*python.* -m pip/,
      "cannot-make",
    ],
    [
      "softrl_test_environments:Nested-v0",
      /the observation space of .* is not supported.*got Dict\('a'/,
      "bad-input",
    ],
  ])("%s", async (id, message, code) => {
    const error: unknown = await make(id).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SoftrlError);
    expect(error).toMatchObject({ code });
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain("\n");
  });

  it("an option that the environment does not take", async () => {
    const made = createGymnasiumEnvironment({
      id: "CartPole-v1",
      size: 1,
      training: true,
      python,
      options: { gravity: 3 },
    });
    await expect(made).rejects.toThrow(/CartPole-v1 cannot be made: TypeError.*gravity/);
    await expect(made).rejects.toMatchObject({ code: "cannot-make" });
    const pong = make("ALE/Pong-v5", 1, { options: { gravity: 3 } });
    await expect(pong).rejects.toMatchObject({ code: "unknown-setting" });
  });

  it("a damaged state", async () => {
    const environment = await make("CartPole-v1", 1, { trustStates: true });
    await environment.reset(new RandomStreams(1));
    const snapshot = await environment.save();
    if (!(snapshot?.state instanceof Uint8Array)) throw new Error("CartPole's state can be saved");
    const state = snapshot.state.subarray(0, snapshot.state.length - 9);
    await expect(environment.restore({ ...snapshot, state })).rejects.toThrow(
      /saved state cannot be restored.*incomplete/,
    );
  });
});

describe("a saved state", () => {
  it("that is a pickle is only restored by an environment that trusts it; Atari has none", async () => {
    const environment = await misbehaving("Calm");
    await environment.reset(new RandomStreams(1));
    const snapshot = (await environment.save()) ?? {};
    await expect(environment.restore(snapshot)).rejects.toThrow(
      /restore: the saved state is a Python pickle, which can run any code; .*trustStates: true/,
    );
    await steps(environment, 1);
    const trusting = await misbehaving("Calm", 2, { trustStates: true });
    await trusting.restore(snapshot);
    await steps(trusting, 1);
    expect(trusting.observations).toEqual(environment.observations);
    const pong = await make("ALE/Pong-v5");
    await pong.reset(new RandomStreams(1));
    await pong.restore((await pong.save()) ?? {});
  });
});

describe.runIf(process.platform !== "win32")("a process that an environment starts ends", () => {
  const started = async (name: string, config: Partial<GymnasiumConfig> = {}) => {
    const environment = await misbehaving(name, 2, config);
    await environment.reset(new RandomStreams(1));
    await steps(environment, 1);
    const pids = Array.from(environment.rewards);
    expect(pids.filter(isAlive)).toEqual(pids);
    return { environment, pids };
  };

  it("when the environment is closed", async () => {
    const { environment, pids } = await started("Forks");
    await environment.close();
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });

  it("when the environment hangs and is killed", async () => {
    const { environment, pids } = await started("ForksAndHangs", { timeoutSeconds: 20 });
    await expect(steps(environment, 2)).rejects.toThrow(/hangs in step/);
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });

  it("when its environment exits", async () => {
    const { environment, pids } = await started("ForksAndExits");
    await expect(steps(environment, 2)).rejects.toThrow(/exit code 9/);
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });

  it("when the parent is killed, also while the environment hangs", async () => {
    const parent = startParent(
      { id: "softrl_test_environments:ForksAndHangs-v0", size: 2 },
      `for (let t = 0; t < 2; t++) await environment.step(new Int32Array(2));
       console.log(JSON.stringify([...environment.pids, ...environment.rewards]));
       await environment.step(new Int32Array(2));`,
    );
    let pids: number[] = [];
    try {
      const [line]: Buffer[] = await once(parent.stdout, "data");
      pids = JSON.parse(String(line));
      expect(pids.filter(isAlive)).toEqual(pids);
      await new Promise((resolve) => setTimeout(resolve, 500));
      parent.kill("SIGKILL");
      await once(parent, "exit");
      for (const pid of pids) expect(await gone(pid)).toBe(true);
    } finally {
      parent.kill("SIGKILL");
      for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
    }
  });
});

describe("killed processes", () => {
  it.each([
    { transport: "stdio", processes: 1 },
    { transport: "shared memory", processes: 1 },
    { transport: "shared memory", processes: 2 },
  ] as const)(
    "50 kills, $transport, $processes processes: each gives one clear error, none hangs, no process is left",
    async (setup) => {
      const random = new RandomStreams(4).stream("kills", setup.transport, setup.processes);
      for (let kill = 0; kill < 50; kill++) {
        const id = kill % 5 === 0 ? "ALE/Pong-v5" : "CartPole-v1";
        const environment = await make(id, 4, setup);
        const { pids } = environment;
        expect(pids).toHaveLength(setup.processes);
        setTimeout(() => process.kill(pids[random.integer(pids.length)], "SIGKILL"), random.integer(60));
        const error: unknown = await (async () => {
          for (;;) {
            await environment.reset(new RandomStreams(kill));
            await steps(environment, 20);
            await environment.save();
            if (random.integer(2) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          }
        })().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(SoftrlError);
        expect(String(error)).toMatch(/the Python process ended .*signal SIGKILL/);
        expect(String(error)).not.toContain("\n");
        expect(pids.filter(isAlive)).toEqual([]);
        await environment.close();
      }
    },
    1_800_000,
  );

  it.runIf(process.platform === "linux")(
    "children and their shared memory disappear when the parent is killed",
    async () => {
      const named = () => readdirSync("/dev/shm").filter((name) => name.includes("softrl"));
      const before = named();
      const parent = startParent(
        { id: "ALE/Pong-v5", size: 4, processes: 2 },
        `console.log(JSON.stringify([environment.transport, ...environment.pids]));
         for (;;) await environment.step(new Int32Array(4));`,
      );
      let pids: number[] = [];
      try {
        const [line]: Buffer[] = await once(parent.stdout, "data");
        const [transport, ...rest]: [string, ...number[]] = JSON.parse(String(line));
        pids = rest;
        expect(transport).toBe("shared memory");
        expect(pids.filter(isAlive)).toEqual(pids);
        expect(named()).toEqual(before);
        parent.kill("SIGKILL");
        await once(parent, "exit");
        for (const pid of pids) expect(await gone(pid)).toBe(true);
      } finally {
        parent.kill("SIGKILL");
        for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
      }
    },
  );

  // A child that is busy in a step does not read its pipe, so it must notice the parent's death in another way.
  it.runIf(process.platform !== "win32").each([
    ["idle", "CartPole-v1"],
    ["stuck in a step", "softrl_test_environments:Hangs-v0"],
  ])("a child that is %s exits when the parent is killed", async (_, id) => {
    const bridge = fileURLToPath(new URL("../python/bridge.py", import.meta.url));
    const make = Buffer.from(
      JSON.stringify({
        id,
        first: 0,
        size: 1,
        training: true,
        protocol: "classic",
        options: {},
        atari: false,
      }),
    );
    const frames = Buffer.concat([
      frameHeader("make", make.length),
      make,
      frameHeader("reset", 4),
      Buffer.alloc(4),
      ...Array.from({ length: 3 }, () => [frameHeader("step", 4), Buffer.alloc(4)]).flat(),
    ]).toString("base64");
    const parent = spawn(process.execPath, [
      "-e",
      `const child = require("node:child_process").spawn(${JSON.stringify(python)}, ["-u", ${JSON.stringify(bridge)}]);
       child.stdin.write(Buffer.from("${frames}", "base64"));
       let bytes = 0;
       child.stdout.on("data", (data) => {
         bytes += data.length;
         console.log(child.pid + " " + bytes);
       });`,
    ]);
    let pid = Number.NaN;
    try {
      let lastOutput = Date.now();
      parent.stdout.on("data", (data: Buffer) => {
        pid = Number(String(data).trim().split("\n").at(-1)?.split(" ")[0]);
        lastOutput = Date.now();
      });
      while (Number.isNaN(pid) || Date.now() - lastOutput < 1500) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(isAlive(pid)).toBe(true);
      parent.kill("SIGKILL");
      await once(parent, "exit");
      expect(await gone(pid)).toBe(true);
    } finally {
      parent.kill("SIGKILL");
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    }
  });
});
