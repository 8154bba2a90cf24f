import {
  type AlgorithmKind,
  a2c,
  CartPole,
  type ChosenSettings,
  createTrainer,
  createWasmExecutor,
  type Environment,
  environmentIds,
  exactEnvironmentIds,
  exactProcess,
  GridWorld,
  MemoryRunStore,
  makeEnvironment,
  mdpOf,
  naturalPolicyGradient,
  Oracle,
  type OracleEvent,
  oneHotSpace,
  softQLearning,
  type VectorEnvironment,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";
import { fakeAlgorithm } from "./fake-algorithm.js";

const executor = await createWasmExecutor();
const world = () => makeEnvironment("GridWorld-v0", 8);

function parts(algorithm: AlgorithmKind, settings: ChosenSettings, environment: VectorEnvironment = world()) {
  const store = new MemoryRunStore();
  const trainer = createTrainer({
    algorithm,
    environment,
    executor,
    settings: { network: { inputs: "unit" }, ...settings },
    store,
    oracle: Oracle,
  });
  return { store, trainer };
}

async function run(algorithm: AlgorithmKind, settings: ChosenSettings, environment?: VectorEnvironment) {
  const { store, trainer } = parts(algorithm, settings, environment);
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const result = await trainer.finish();
  const answers = store.events.filter((event): event is OracleEvent => event.event === "oracle");
  return { store, trainer, result, answers };
}

describe("a run with an oracle", () => {
  it.each([
    ["a2c", a2c, 60_000],
    ["soft-q", softQLearning, 60_000],
    ["npg", naturalPolicyGradient, 24_000],
  ] as const)("%s: errors and regret fall", async (_, algorithm, steps) => {
    const { answers, trainer, result } = await run(algorithm, { run: { steps, oracleEvery: steps / 3 } });
    expect(answers.map(({ step }) => step)).toEqual([0, steps / 3, (2 * steps) / 3, steps]);
    expect(answers).toEqual(trainer.measurements.map((answer) => ({ event: "oracle", ...answer })));
    expect(result.oracle).toEqual(trainer.measurements.at(-1));
    const [first, last] = [answers[0].figures, answers[answers.length - 1].figures];
    const falling = ["regret", "valueErrorVisited", "qErrorVisited", "policyErrorVisited"] as const;
    for (const name of falling) expect(last[name], name).toBeLessThan(first[name] / 4);
    expect(last.optimalValueErrorVisited).toBeLessThan(0.05);
    for (const { figures } of answers) {
      for (const [name, figure] of Object.entries(figures)) expect(Number.isFinite(figure), name).toBe(true);
      expect(figures.regret).toBeGreaterThan(0);
      expect(figures.optimalReturn).toBe(first.optimalReturn);
      // In expectation both algorithms take the same step; on a batch as large as a rollout, nearly.
      expect(figures.theoremResidual).toBeLessThan(1e-12);
      expect(figures.batchGap).toBeGreaterThan(0);
      expect(figures.batchCosine).toBeLessThan(1);
      expect(figures.batchCosine).toBeGreaterThan(0.9);
      expect(figures.gradientCosine).toBeLessThanOrEqual(1 + 1e-12);
    }
    // A critic that is right points the policy the right way.
    expect(last.gradientCosine).toBeGreaterThan(0.99);
  });

  it("is the run without one, bit for bit, and another seed's is another", async () => {
    const steps = 4000;
    const watched = await run(softQLearning, { run: { steps, oracleEvery: 400 } });
    const alone = await run(softQLearning, { run: { steps } });
    expect(watched.answers).toHaveLength(11);
    expect(alone.answers).toEqual([]);
    expect("oracle" in alone.result).toBe(false);
    const learned = ({ trainer }: typeof alone) => trainer.algorithm.policy.save();
    expect(learned(watched)).toEqual(learned(alone));
    const episodes = ({ store }: typeof alone) => store.events.filter(({ event }) => event === "episode");
    expect(episodes(watched)).toEqual(episodes(alone));
    const again = await run(softQLearning, { run: { steps, oracleEvery: 400 } });
    expect(again.answers).toEqual(watched.answers);
    const other = await run(softQLearning, { run: { steps, oracleEvery: 400, seed: 2 } });
    expect(other.answers).not.toEqual(watched.answers);
  });

  it("goes on measuring in a restored run, and gives the same answers", async () => {
    const settings = { run: { steps: 2000, oracleEvery: 400 } };
    const whole = await run(a2c, settings);
    const first = parts(a2c, settings).trainer;
    await first.start();
    while (first.step < 1000) await first.iterate();
    const resumed = parts(a2c, settings).trainer;
    await resumed.restore(await first.save());
    while (!resumed.done) await resumed.iterate();
    await resumed.finish();
    expect(resumed.measurements).toEqual(whole.trainer.measurements);
    expect(await resumed.save()).toEqual(await whole.trainer.save());
  });

  it("of the naive bonus compares its V with the plain returns", async () => {
    const naive = await run(a2c, {
      run: { steps: 60_000, oracleEvery: 60_000 },
      algorithm: { tau: 0.05, entropyBonus: "naive" },
    });
    // With this τ the KL in V is worth about 0.05 log 4 a step: its V would be far off.
    expect(naive.answers[1].figures.valueErrorVisited).toBeLessThan(0.1);
    expect(naive.answers[1].figures.theoremResidual).toBeLessThan(1e-12);
  });

  it("holds without a discount, where no contraction certifies the optimum", async () => {
    const cliff = makeEnvironment("CliffWalking-v1", 8);
    const { answers } = await run(
      a2c,
      { run: { steps: 40, oracleEvery: 40 }, algorithm: { gamma: 1 } },
      cliff,
    );
    expect(answers[0].figures.optimalReturn).toBeCloseTo(-13, 1);
  });

  it("follows τ when it changes during the run", async () => {
    const settings = { run: { steps: 800, oracleEvery: 400 } };
    const { trainer } = parts(a2c, settings);
    await trainer.start();
    while (trainer.step < 400) await trainer.iterate();
    await trainer.set({ tau: 0.1 });
    while (!trainer.done) await trainer.iterate();
    const optimal = trainer.measurements.map(({ figures }) => figures.optimalReturn);
    expect(optimal[1]).toBe(optimal[0]);
    const warm = await run(a2c, { ...settings, algorithm: { tau: 0.1 } });
    expect(optimal[2]).toBe(warm.answers[0].figures.optimalReturn);
    expect(optimal[2]).not.toBe(optimal[0]);
  });
});

describe("an exact process", () => {
  it("is known to the environments that say so, and to no other", () => {
    expect(exactEnvironmentIds).toEqual([
      ...["GridWorld-v0", "FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "Taxi-v4"],
    ]);
    for (const id of environmentIds) {
      const { mdp } = makeEnvironment(id, 2);
      expect(mdp !== undefined, id).toBe(exactEnvironmentIds.includes(id));
      if (mdp !== undefined) expect(mdpOf(makeEnvironment(id, 1)).states).toBe(mdp.states);
    }
  });

  it("is required of the environment: the error names some that have one", () => {
    const listed = /a table such as FrozenLake-v1 or GridWorld-v0/;
    expect(() => parts(a2c, { run: { oracleEvery: 1 } }, new CartPole(8))).toThrow(listed);
    expect(() => parts(a2c, { run: { oracleEvery: 0 } }, new CartPole(8))).not.toThrow();
    const unknown = vectorize("Mine-v0", () => new Maze(false), 2);
    expect(() => parts(a2c, { run: { oracleEvery: 100 } }, unknown)).toThrow(listed);
  });

  it("is asked of an algorithm that has a model alone", () => {
    const fake = fakeAlgorithm();
    expect(() => parts(fake, { run: { oracleEvery: 100 } })).toThrow(
      "oracleEvery: fake cannot be measured exactly, expected an algorithm with a model of log π and V, such as a2c or soft-q, got fake.",
    );
    expect(() => parts(fake, { run: { oracleEvery: 0 } })).not.toThrow();
  });

  it("is not measured without an oracle by value", () => {
    const settings = { run: { oracleEvery: 100 } };
    expect(() => createTrainer({ algorithm: a2c, environment: world(), executor, settings })).toThrow(
      /Trainer: a run with oracleEvery needs an oracle, expected 0 .*, got oracleEvery 100; pass the class/,
    );
  });

  it("of an environment of one's own is taken, and must be what it observes", async () => {
    const settings = { run: { oracleEvery: 100, steps: 100 } };
    const own = vectorize("Mine-v0", () => new Maze(true), 2);
    const { answers } = await run(a2c, settings, own);
    expect(answers).toHaveLength(2);
    const other: VectorEnvironment = vectorize("Mine-v0", () => new Maze(true), 2);
    const wider = { ...other, observationSpace: oneHotSpace(12) };
    expect(() => exactProcess(wider)).toThrow(
      /observations of Mine-v0 are not the states.*length 11.*\[12\]/,
    );
    const more = { ...other, actionSpace: { kind: "discrete", n: 5 } as const };
    expect(() => exactProcess(more)).toThrow(/actions of Mine-v0 are not those of its process/);
  });
});

/** A grid world that knows its process, or does not. */
class Maze implements Environment {
  readonly #world = new GridWorld();
  readonly observationSpace = this.#world.observationSpace;
  readonly actionSpace = this.#world.actionSpace;
  readonly mdp?: NonNullable<Environment["mdp"]>;

  constructor(known: boolean) {
    if (known) this.mdp = this.#world.mdp;
  }

  reset(...parameters: Parameters<Environment["reset"]>) {
    this.#world.reset(...parameters);
  }

  step(...parameters: Parameters<Environment["step"]>) {
    return this.#world.step(...parameters);
  }

  save() {
    return this.#world.save();
  }

  restore(...parameters: Parameters<Environment["restore"]>) {
    this.#world.restore(...parameters);
  }
}
