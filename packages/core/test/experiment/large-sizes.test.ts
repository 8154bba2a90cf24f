import {
  a2c,
  chain,
  createTrainer,
  createWasmExecutor,
  type Environment,
  GridWorld,
  garnet,
  loadPolicy,
  makeEnvironment,
  mlp,
  naturalPolicyGradient,
  RandomStreams,
  Rollout,
  riverSwim,
  SoftrlError,
  type Space,
  train,
  validateSpace,
  vectorize,
} from "softrl";
import { describe, expect, test } from "vitest";
import { unitScale } from "../../src/envs/spaces.js";
import { MemoryRunStore } from "../../src/experiment/run-store.js";
import { Toy } from "../envs/toy.js";

const executor = await createWasmExecutor();
const BILLION = 1e9;

/** The refusal of something; it must come before anything is allocated or computed. */
function refusal(attempt: () => unknown): SoftrlError {
  const before = process.memoryUsage().arrayBuffers;
  try {
    attempt();
  } catch (error) {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 27);
    if (error instanceof SoftrlError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const trainer =
  (chosen: { environment?: ReturnType<typeof makeEnvironment>; network?: object; algorithm?: object }) =>
  () =>
    createTrainer({
      algorithm: a2c,
      environment: chosen.environment ?? makeEnvironment("CartPole-v1", 4),
      executor,
      settings: { network: { ...chosen.network }, algorithm: { ...chosen.algorithm } },
    });

/** A toy with other spaces. */
function withSpaces(spaces: { observationSpace?: Space; actionSpace?: Space }, size = 2) {
  return vectorize("Toy-v0", () => Object.assign(new Toy(9), spaces) as Environment, size);
}
const actions = (n: number) => withSpaces({ actionSpace: { kind: "discrete", n } });
const box = (...shape: number[]): Space => ({ kind: "box", shape, dtype: "float32", low: 0, high: 1 });

describe("a billion is refused, with the memory that it needs", () => {
  const random = new RandomStreams(1).stream("test");
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    ["environments", () => makeEnvironment("CartPole-v1", BILLION), /^CartPole-v1: .* make fewer env/],
    ["games", () => makeEnvironment("MinAtar/Breakout-v1", BILLION), /^MinAtar\/Breakout-v1: .* make fewer/],
    ["of your own", () => withSpaces({}, BILLION), /^vectorize Toy-v0: .* make fewer environments/],
    ["numbers", () => withSpaces({ observationSpace: box(BILLION) }, 4), /^vectorize Toy-v0: .* make fewer/],
    ["units", trainer({ network: { hiddenSizes: [BILLION] } }), /^Parameters: .* use a smaller network/],
    ["actions", trainer({ environment: actions(BILLION) }), /^Parameters: .* use a smaller network/],
    ["steps of a rollout", () => new Rollout(BILLION, 1), /^Rollout: .* take fewer steps/],
    ["states", () => garnet({ states: BILLION, actions: 2, branching: 2 }, random), /^garnet: /],
    ["links", () => chain({ length: BILLION }), /^chain: /],
    ["banks", () => riverSwim(BILLION), /^riverSwim: /],
  ];
  test.each(cases)("%s", (_, attempt, message) => {
    const error = refusal(attempt);
    expect(error.message).toMatch(/not enough memory for \d+\.\d MiB, expected at most 8192 MiB; /);
    expect(error.message).toMatch(message);
    expect(error.code).toBe("out-of-memory");
    expect(error.details.bytes).toBeGreaterThan(2 ** 33);
  });
});

test("a horizon, a number of elements and of layers have limits", () => {
  for (const algorithm of [a2c, naturalPolicyGradient]) {
    const environment = makeEnvironment("CartPole-v1", 4);
    const settings = { algorithm: { horizon: BILLION } };
    expect(refusal(() => createTrainer({ algorithm, environment, executor, settings })).message).toMatch(
      /^algorithm\.horizon: invalid value, expected an integer in \[1, 65536\], got 1000000000/,
    );
  }
  for (const space of [box(1e5, 1e5), box(1e300), { kind: "discrete", n: 2 ** 31 } as const]) {
    expect(refusal(() => validateSpace("here", "space", space)).message).toMatch(
      /^here: (space\.shape|space\.n|the number of elements of space)/,
    );
  }
  const many = Array.from({ length: 200_000 }, () => 1);
  expect(refusal(() => mlp(many)).message).toBe(
    "mlp: there are too many hidden layers, expected at most 1024, got 200000.",
  );
  expect(refusal(trainer({ network: { hiddenSizes: many } })).message).toBe(
    "network.hiddenSizes: the list is too long, expected at most 1024 integers, got 200000.",
  );
});

test("a space of many elements with single bounds is checked at once", () => {
  const space = box(1e9);
  validateSpace("here", "space", space);
  expect(unitScale(space)).toBe(1);
});

test("a policy is not loaded for a billion rows", async () => {
  const store = new MemoryRunStore();
  const settings = { run: { steps: 40 }, network: { hiddenSizes: [4] } };
  await train({ algorithm: a2c, environment: makeEnvironment("CartPole-v1", 4), executor, settings, store });
  const bytes = store.checkpoint ?? new Uint8Array();
  expect(refusal(() => loadPolicy(bytes, executor, { rows: BILLION })).code).toBe("out-of-memory");
});

test("a maze of 200,000 cells can be walked; its dense process is refused, with its bytes", () => {
  const rows = Array.from({ length: 400 }, (_, row) => (row === 0 ? "S" : ".").padEnd(500, "."));
  const maze = makeEnvironment("GridWorld-v0", 2, { layout: [...rows.slice(1), rows[0]] });
  maze.reset(new RandomStreams(1));
  maze.step(Int32Array.of(0, 1));
  expect(maze.observations).toHaveLength(400_000);
  expect(refusal(() => maze.mdp)).toMatchObject({
    code: "out-of-memory",
    details: { bytes: 200_000 * 4 * 200_000 * 8 },
    message: expect.stringMatching(/^GridWorld: .* use a smaller layout/),
  });
  expect(new GridWorld().mdp.states).toBe(11);
});
