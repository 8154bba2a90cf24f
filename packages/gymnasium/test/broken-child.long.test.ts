import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RandomStreams, SoftrlError } from "softrl";
import { describe, expect, it } from "vitest";
import { type BridgeTransport, completeConfig } from "../src/config.js";
import { connectEnvironment, type GymnasiumEnvironment } from "../src/environment.js";
import { openSharedFile } from "../src/shared-memory.js";

const script = fileURLToPath(new URL("fake-child.mjs", import.meta.url));

interface Setup {
  readonly transport?: BridgeTransport;
  readonly processes?: number;
  readonly timeoutSeconds?: number;
  readonly size?: number;
  readonly overlap?: boolean;
}

const connect = (
  manner: string,
  { transport = "stdio", processes = 1, timeoutSeconds = 10, size = 2, overlap = true }: Setup = {},
): Promise<GymnasiumEnvironment> =>
  connectEnvironment(completeConfig({ id: "Fake-v0", size, training: true, transport, processes, overlap }), {
    command: [process.execPath, script, manner],
    where: "gymnasium Fake-v0",
    timeoutSeconds,
  });

const file = openSharedFile();
file?.close();
/** The transports and numbers of processes to test; shared memory only if it was built. */
const setups: readonly Setup[] = [
  { transport: "stdio", processes: 1 },
  { transport: "stdio", processes: 2 },
  ...(file === null
    ? []
    : [
        { transport: "shared memory", processes: 1 } as const,
        { transport: "shared memory", processes: 2 } as const,
      ]),
];

async function refusal(promise: Promise<unknown>): Promise<SoftrlError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SoftrlError)) throw new Error(`expected a SoftrlError, got ${String(error)}`);
  return error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a child that fails at startup", () => {
  it.each([
    ["dies at start", /ended during hello, expected an answer, got exit code 3, .*"the last words"/],
    ["garbage at start", /broke the protocol, expected a frame, got "Tr/],
    ["another protocol", /broke the protocol, expected protocol 1, got 99/],
    ["refuses", /^gymnasium Fake-v0: no such thing, expected a, got b; c\.$/],
    ["spaces without sense", /observationSpace.*-3/],
    ["spaces without JSON", /broke the protocol, expected JSON in the reply to make/],
  ])("%s", async (manner, message) => {
    expect((await refusal(connect(manner))).message).toMatch(message);
  });

  it("gives its refusal a code, where softrl has that code", async () => {
    for (const [given, code] of [
      ["unknown-environment", "unknown-environment"],
      ["cannot-make", "cannot-make"],
      ["nonsense", "bad-input"],
    ]) {
      expect(await refusal(connect(`refuses with the code ${given}`))).toMatchObject({ code });
    }
  });

  it("refuses at length, and is quoted in short on one line", async () => {
    const { message } = await refusal(connect("refuses at length"));
    expect(message).toMatch(/^gymnasium Fake-v0: no no no .*characters/);
    expect(message.length).toBeLessThan(1600);
    expect(message).not.toMatch(/\p{Cc}/u);
  });

  it("answers without JSON: the cause is kept", async () => {
    expect((await refusal(connect("spaces without JSON"))).cause).toBeInstanceOf(SyntaxError);
  });

  it("hangs at start", async () => {
    const error = await refusal(connect("hangs at start", { timeoutSeconds: 1 }));
    expect(error.message).toMatch(
      /hangs in hello, expected an answer within 1 s.*SOFTRL_TIMEOUT.*timeoutSeconds/,
    );
  });

  it("does not exist", async () => {
    const command = ["/nowhere/python", "-u"] as const;
    const made = connectEnvironment(completeConfig({ id: "Fake-v0", size: 1, training: true }), {
      command: [...command],
      where: "gymnasium Fake-v0",
      timeoutSeconds: 5,
    });
    const error = await refusal(made);
    expect(error.message).toMatch(/Python cannot be started.*ENOENT.*softrl setup gymnasium/);
    expect(error).toMatchObject({ code: "no-python", cause: { code: "ENOENT" } });
  });
});

describe.each(setups)("a child that fails in a step: $transport, $processes processes", (setup) => {
  it.each([
    ["dies in step", /ended during step.*exit code 7, last line on stderr "the last words"/],
    ["garbage in step", /broke the protocol, expected a frame, got "He/],
    ["half a frame, then death", /ended during step.*exit code 0/],
    ["another answer", /broke the protocol, expected a reply to step, got a frame of operation 132/],
    ["short answer", /broke the protocol, expected a complete reply to step, got \d+ bytes/],
    ["long answer", /broke the protocol, expected a complete reply to step, got \d+ bytes/],
    ["a giant", /broke the protocol, expected a frame of at most/],
    ["refuses a step", /the reward of environment 1 is not finite at step 1/],
  ])("%s", async (manner, message) => {
    const environment = await connect(manner, setup);
    const { pids } = environment;
    expect(pids).toHaveLength(setup.processes ?? 0);
    await environment.reset(new RandomStreams(1));
    const actions = Int32Array.of(0, 1);
    const error = await refusal(environment.step(actions));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await refusal(environment.step(actions))).toBe(error);
    expect(await refusal(environment.save())).toBe(error);
    await environment.close();
    await environment.close();
  });

  it("sends two answers: the second is refused at the next call", async () => {
    const environment = await connect("two answers", setup);
    await environment.reset(new RandomStreams(1));
    await environment.step(new Int32Array(2));
    const error = await refusal(
      (async () => {
        for (;;) await environment.step(new Int32Array(2));
      })(),
    );
    expect(error.message).toMatch(/broke the protocol/);
  });
});

describe.each(setups)("a child that works: $transport, $processes processes", (setup) => {
  it("accepts one call at a time, and keeps working after refusing a second", async () => {
    const environment = await connect("well", setup);
    await environment.reset(new RandomStreams(1));
    const first = environment.step(new Int32Array(2));
    const error = await refusal(environment.step(new Int32Array(2)));
    expect(error.message).toMatch(/step was called during step, expected one call at a time/);
    await first;
    await environment.step(new Int32Array(2));
    await environment.close();
  });

  it("rejects a pending step when it is closed", async () => {
    const environment = await connect("hangs in step", setup);
    await environment.reset(new RandomStreams(1));
    const step = refusal(environment.step(new Int32Array(2)));
    await environment.close();
    expect((await step).message).toMatch(/is closed/);
    expect(environment.pids.filter(isAlive)).toEqual([]);
  });

  it("steps between send and receive", async () => {
    const environment = await connect("well", setup);
    await environment.reset(new RandomStreams(1));
    expect((await refusal(environment.receive())).message).toMatch(/receive came before send; send actions/);
    environment.send(new Int32Array(2));
    expect(() => environment.send(new Int32Array(2))).toThrow(/step was called during step/);
    expect((await refusal(environment.save())).message).toMatch(/save was called during step/);
    // Calls are still refused after the answer has arrived, so that refusals do not depend on the children's speed.
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const call of [
      () => environment.save(),
      () => environment.reset(new RandomStreams(2)),
      () => environment.restore({ id: "Fake-v0", size: 2, state: new Uint8Array(0) }),
    ]) {
      expect((await refusal(call())).message).toMatch(/was called during step, expected one call at a time/);
    }
    await environment.receive();
    await environment.step(new Int32Array(2));
    await environment.close();
  });

  it.runIf(process.platform === "linux")("leaves no descriptor of the shared memory open", async () => {
    const environment = await connect("well", setup);
    const open = readdirSync("/proc/self/fd").map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch {
        return "";
      }
    });
    expect(open.filter((name) => name.includes("memfd:softrl"))).toEqual([]);
    const mapped = readFileSync("/proc/self/maps", "utf8").includes("memfd:softrl");
    if (environment.transport === "shared memory") expect(mapped).toBe(true);
    await environment.close();
  });

  it("is reported as ended if it is killed between two calls", async () => {
    const environment = await connect("well", setup);
    await environment.reset(new RandomStreams(1));
    process.kill(environment.pids.at(-1) ?? Number.NaN, "SIGKILL");
    const error = await refusal(environment.step(new Int32Array(2)));
    expect(error.message).toMatch(
      /ended (during step|between two requests).*signal SIGKILL; run the command again.*make a new environment/,
    );
    expect(error.code).toBe("worker-lost");
  });
});

/** One environment of each setup, made one after the other, so that each has the whole time limit to start. */
async function connectAll(manner: string, more: Setup = {}): Promise<readonly GymnasiumEnvironment[]> {
  const environments = [];
  for (const setup of setups) environments.push(await connect(manner, { ...setup, ...more }));
  return environments;
}

// All setups wait together: the time limits are most of what these tests take.
describe("time limits, for every transport and number of processes", () => {
  it("a child that hangs in a step is killed", async () => {
    const environments = await connectAll("hangs in step", { timeoutSeconds: 4 });
    const hang = async (environment: GymnasiumEnvironment) => {
      await environment.reset(new RandomStreams(1));
      const error = await refusal(environment.step(new Int32Array(2)));
      expect(error.message).toMatch(/hangs in step, expected an answer within 4 s, got none/);
      expect(environment.pids.filter(isAlive)).toEqual([]);
    };
    await Promise.all(environments.map(hang));
  });

  it("a child that does not exit on its own is killed by close", async () => {
    const environments = await connectAll("never leaves");
    await Promise.all(environments.map((environment) => environment.close()));
    for (const { pids } of environments) expect(pids.filter(isAlive)).toEqual([]);
  });

  it("a child that works does not time out if this process itself was busy beyond the limit", async () => {
    const environments = await connectAll("well", { timeoutSeconds: 4 });
    for (const environment of environments) await environment.reset(new RandomStreams(1));
    for (const environment of environments) environment.send(new Int32Array(2));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4300);
    for (const environment of environments) await environment.receive();
    for (const environment of environments) await environment.close();
  });
});

describe("halves that step independently", () => {
  const halves = async (manner: string, more: Setup = {}) => {
    const environment = await connect(manner, { processes: 2, size: 4, ...more });
    await environment.reset(new RandomStreams(1));
    const [first, second] = environment.parts ?? [];
    return { environment, first, second };
  };

  it("step concurrently, and every other call is refused meanwhile", async () => {
    const { environment, first, second } = await halves("well");
    expect([first.size, second.size]).toEqual([2, 2]);
    const steps = [first.step(new Int32Array(2)), second.step(new Int32Array(2))];
    for (const call of [
      () => first.step(new Int32Array(2)),
      () => environment.step(new Int32Array(4)),
      () => environment.save(),
      () => environment.reset(new RandomStreams(2)),
    ]) {
      expect((await refusal(call())).message).toMatch(/was called during step, expected one call at a time/);
    }
    await Promise.all(steps);
    await environment.step(new Int32Array(4));
    const whole = environment.step(new Int32Array(4));
    expect((await refusal(second.step(new Int32Array(2)))).message).toMatch(/step was called during step/);
    await whole;
    await environment.close();
  });

  it("number environments within the whole in error messages", async () => {
    const { environment, second } = await halves("well");
    expect((await refusal(second.step(Int32Array.of(0, 9)))).message).toMatch(
      /environment 3: the action is out of/,
    );
    expect((await refusal(second.step(new Int32Array(4)))).message).toMatch(/actions has the wrong length/);
    await second.step(new Int32Array(2));
    await environment.close();
  });

  it("fail together with one error, and a half that is not awaited does not count as unhandled", async () => {
    const { environment, first, second } = await halves("dies in step");
    const steps = [first.step(new Int32Array(2)), second.step(new Int32Array(2))];
    const error = await refusal(steps[0]);
    expect(error.message).toMatch(/ended during step.*exit code 7/);
    expect(environment.pids.filter(isAlive)).toEqual([]);
    // The second is not awaited: an unhandled rejection would fail this test.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await refusal(second.step(new Int32Array(2)))).toBe(error);
    await environment.close();
  });

  it.each([
    ["one process", { processes: 1 }],
    ["no overlap", { overlap: false }],
    ["an odd number of environments", { size: 5 }],
    ["two environments", { size: 2 }],
  ] as const)("do not exist with %s", async (_, more) => {
    const { environment } = await halves("well", more);
    expect(environment.parts).toBeUndefined();
    await environment.close();
  });
});
