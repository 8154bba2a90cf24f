import {
  createWasmExecutor,
  type Environment,
  environmentIds,
  exactEnvironmentIds,
  exactProcess,
  GridWorld,
  MemoryRunStore,
  makeAlgorithm,
  makeEnvironment,
  mdpOf,
  type OracleEvent,
  oneHotSpace,
  type TrainConfig,
  Trainer,
  trainConfig,
  type VectorEnvironment,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";

const wasm = await createWasmExecutor();

function parts(config: TrainConfig, environment = makeEnvironment(config.environment, config.environments)) {
  const algorithm = makeAlgorithm(config, environment, wasm);
  return { environment, algorithm, store: new MemoryRunStore(), clock: () => 0 };
}

async function run(chosen: Partial<TrainConfig>, environment?: VectorEnvironment) {
  const config = trainConfig({ environment: "GridWorld-v0", ...chosen });
  const made = parts(config, environment);
  const trainer = new Trainer(config, made);
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const result = await trainer.finish();
  const answers = made.store.events.filter((event): event is OracleEvent => event.event === "oracle");
  return { ...made, trainer, result, answers };
}

describe("a run with an oracle", () => {
  it.each([
    ["a2c", 60_000],
    ["soft-q", 60_000],
    ["npg", 24_000],
  ] as const)("%s: errors and regret fall", async (algorithm, steps) => {
    const { answers, trainer, result } = await run({ algorithm, steps, oracleEvery: steps / 3 });
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
      // In expectation both faces step alike; on a batch of as many samples as a rollout has, nearly.
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
    const options = { algorithm: "soft-q", steps: 4000 } as const;
    const watched = await run({ ...options, oracleEvery: 400 });
    const alone = await run(options);
    expect(watched.answers).toHaveLength(11);
    expect(alone.answers).toEqual([]);
    expect("oracle" in alone.result).toBe(false);
    expect(watched.algorithm.theta()).toEqual(alone.algorithm.theta());
    const episodes = ({ store }: typeof alone) => store.events.filter(({ event }) => event === "episode");
    expect(episodes(watched)).toEqual(episodes(alone));
    expect((await run({ ...options, oracleEvery: 400 })).answers).toEqual(watched.answers);
    expect((await run({ ...options, oracleEvery: 400, seed: 2 })).answers).not.toEqual(watched.answers);
  });

  it("goes on measuring in a restored run, and says the same", async () => {
    const whole = await run({ steps: 2000, oracleEvery: 400 });
    const { config } = whole.trainer;
    const first = new Trainer(config, parts(config));
    await first.start();
    while (first.progress.step < 1000) await first.iterate();
    const resumed = new Trainer(config, parts(config));
    await resumed.restore(await first.save());
    while (!resumed.done) await resumed.iterate();
    expect(resumed.measurements).toEqual(whole.trainer.measurements);
    expect(await resumed.save()).toEqual(await whole.trainer.save());
  });

  it("of the naive bonus compares its V with the plain returns", async () => {
    const naive = await run({ steps: 60_000, tau: 0.05, entropyBonus: "naive", oracleEvery: 60_000 });
    // With this τ the KL in V is worth about 0.05 log 4 a step: its V would be far off.
    expect(naive.answers[1].figures.valueErrorVisited).toBeLessThan(0.1);
    expect(naive.answers[1].figures.theoremResidual).toBeLessThan(1e-12);
  });

  it("holds without a discount, where no contraction certifies the optimum", async () => {
    const { answers } = await run({ environment: "CliffWalking-v1", gamma: 1, steps: 40, oracleEvery: 40 });
    expect(answers[0].figures.optimalReturn).toBeCloseTo(-13, 1);
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

  it("is asked for where there is none: one error that lists those that have one", async () => {
    const listed = /GridWorld-v0, FrozenLake-v1, FrozenLake8x8-v1, CliffWalking-v1, Taxi-v4/;
    expect(() => trainConfig({ environment: "CartPole-v1", oracleEvery: 1 })).toThrow(listed);
    expect(() => trainConfig({ environment: "CartPole-v1", oracleEvery: 0 })).not.toThrow();
    const unknown = { environment: "Mine-v0", environments: 2, oracleEvery: 100, steps: 100 };
    await expect(
      run(
        unknown,
        vectorize("Mine-v0", () => new Maze(false), 2),
      ),
    ).rejects.toThrow(listed);
  });

  it("of an environment of one's own is taken, and must be what it observes", async () => {
    const unknown = { environment: "Mine-v0", environments: 2, oracleEvery: 100, steps: 100 };
    const { answers } = await run(
      unknown,
      vectorize("Mine-v0", () => new Maze(true), 2),
    );
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
