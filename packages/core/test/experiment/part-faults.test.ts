import {
  type Algorithm,
  a2c,
  algorithmKind,
  CartPole,
  createTrainer,
  createWasmExecutor,
  makeEnvironment,
  type Snapshot,
  SoftrlError,
  train,
  vectorize,
} from "softrl";
import { describe, expect, test } from "vitest";
import { MemoryRunStore } from "../../src/experiment/run-store.js";
import { Toy } from "../envs/toy.js";

const executor = await createWasmExecutor();
const settings = { run: { steps: 400 }, network: { hiddenSizes: [4] } };
const parts = () => ({ algorithm: a2c, environment: makeEnvironment("CartPole-v1", 4), executor, settings });

async function refusal(attempt: () => unknown): Promise<SoftrlError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof SoftrlError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const boom = new TypeError("boom");
const fails = (): never => {
  throw boom;
};
/** An object whose getter `name` throws. */
const throwing = <Whole extends object>(whole: Whole, name: string): Whole =>
  new Proxy(whole, {
    get: (of, key) => {
      if (key === name) fails();
      const value: unknown = Reflect.get(of, key, of);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });

/** A2C, saved in another way. */
const saving = (save: (algorithm: Algorithm) => unknown) =>
  algorithmKind({
    ...a2c,
    name: "mine",
    make: (...given) => {
      const made = a2c.make(...given);
      return {
        policy: made.policy,
        iterate: (onStep) => made.iterate(onStep),
        save: () => save(made) as Snapshot,
        restore: (snapshot) => made.restore(snapshot),
      };
    },
  });

function cyclic(): unknown {
  const inner: Record<string, unknown> = {};
  inner.outer = { inner };
  return { inner };
}

function deep(levels: number): unknown {
  let section: unknown = {};
  for (let i = 0; i < levels; i++) section = { section };
  return section;
}

describe("what an algorithm saves is refused at the start", () => {
  test.each([
    ["a promise", async () => ({ n: 1 }), "mine: save returned a promise, expected a snapshot; return the"],
    // biome-ignore lint/suspicious/noThenProperty: this is the case.
    ["a thenable", () => ({ then: () => {} }), "mine: save returned a promise"],
    ["nothing", () => undefined, "mine: what was saved is not a snapshot, expected an object of"],
    ["a BigInt", () => ({ a: { n: 5n } }), 'mine: "a/n" is not data, expected a number, a text, true'],
    ["a promise inside", () => ({ a: { n: Promise.resolve(1) } }), 'mine: "a/n" is not data'],
    ["a map", () => ({ n: new Map() }), 'mine: "n" is not data'],
    ["undefined", () => ({ n: undefined }), 'mine: "n" is not data'],
    ["a cycle", cyclic, 'mine: "inner/outer/inner" contains itself'],
    ["100,000 levels", () => deep(100_000), "mine: the snapshot nests too deep, expected at most 100 levels"],
  ])("%s", async (_, save, message) => {
    const error = await refusal(() => train({ ...parts(), algorithm: saving(save) }));
    expect(error.message.slice(0, message.length)).toBe(message);
  });

  test("with the original error as the cause where it throws", async () => {
    const reading = {
      get n() {
        return fails();
      },
    };
    for (const [save, message] of [
      [fails, "mine: save failed: boom."],
      [() => reading, 'mine: reading "n" failed: boom.'],
      [() => ({ inner: reading }), 'mine: reading "inner/n" failed: boom.'],
    ] as const) {
      const error = await refusal(() => train({ ...parts(), algorithm: saving(save) }));
      expect(error).toMatchObject({ message, cause: boom });
    }
  });
});

describe("an environment's save", () => {
  test("that returns a promise or throws is refused, with the environment's number", async () => {
    for (const [save, message] of [
      [async () => ({}), "Toy-v0 environment 0: save returned a promise, expected a snapshot; return the"],
      [fails, "Toy-v0 environment 0: save failed: boom."],
      [() => ({ at: new Date() }), 'Toy-v0 environment 0: "at" is not data'],
    ] as const) {
      const make = () => Object.assign(new Toy(9), { save });
      const error = await refusal(() => train({ ...parts(), environment: vectorize("Toy-v0", make, 2) }));
      expect(error.message.slice(0, message.length)).toBe(message);
    }
  });

  test("of a whole vector may be a promise", async () => {
    const environment = new CartPole(4);
    const save = environment.save.bind(environment);
    const { result } = await train({
      ...parts(),
      environment: Object.assign(environment, { save: async () => save() }),
    });
    expect(result.steps).toBe(400);
  });

  test("that rejects is named", async () => {
    const environment = Object.assign(new CartPole(4), { save: async () => fails() });
    const error = await refusal(() => train({ ...parts(), environment }));
    expect(error).toMatchObject({ message: "CartPole-v1: save failed: boom.", cause: boom });
  });
});

test("a restore that throws is named", async () => {
  const store = new MemoryRunStore();
  const trainer = createTrainer({ ...parts(), store });
  await trainer.start();
  const environment = Object.assign(new CartPole(4), { restore: fails });
  const snapshot = await trainer.save();
  const error = await refusal(() => createTrainer({ ...parts(), environment }).restore(snapshot));
  expect(error).toMatchObject({ message: "CartPole-v1: restore failed: boom.", cause: boom });
});

describe("a getter that throws is named", () => {
  test.each(["environment", "settings", "clock", "algorithm"])("%s", async (key) => {
    const choice = { ...parts(), clock: () => 0 };
    const error = await refusal(() => train(throwing(choice, key)));
    expect(error).toMatchObject({ message: `train: reading ${key} failed: boom.`, cause: boom });
  });

  test.each(["id", "size", "observations", "observationSpace", "options"])("environment.%s", async (key) => {
    const environment = throwing(new CartPole(4), key);
    const error = await refusal(() => train({ ...parts(), environment }));
    expect(error).toMatchObject({ message: "train: reading environment failed: boom.", cause: boom });
  });
});

test("a clock that throws, or gives no seconds, is refused", async () => {
  expect(await refusal(() => train({ ...parts(), clock: fails }))).toMatchObject({
    message: "clock: the call failed: boom.",
    cause: boom,
  });
  for (const clock of [() => Number.NaN, () => "1" as unknown as number, () => 5n as unknown as number]) {
    const error = await refusal(() => train({ ...parts(), clock }));
    expect(error.message).toMatch(/^clock: the clock did not give seconds, expected a finite number, got /);
  }
});

test("an outcome that cannot be shown is refused as any other", async () => {
  const hollow: unknown = Object.create(null);
  for (const outcome of [hollow, { reward: hollow, terminated: false, truncated: false }]) {
    const step = () => outcome as { reward: number; terminated: boolean; truncated: boolean };
    const environment = vectorize("Toy-v0", () => Object.assign(new Toy(9), { step }), 2);
    expect((await refusal(() => train({ ...parts(), environment }))).message).toMatch(
      /^Toy-v0 environment 0/,
    );
  }
  const step = () => {
    throw hollow;
  };
  const environment = vectorize("Toy-v0", () => Object.assign(new Toy(9), { step }), 2);
  expect((await refusal(() => train({ ...parts(), environment }))).message).toMatch(/step failed: \{\}/);
});
