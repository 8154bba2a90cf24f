import {
  CartPole,
  type ChosenSettings,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  dqn,
  dqnPresets,
  type Environment,
  loadPolicy,
  MemoryRunStore,
  MinAtar,
  makeEnvironment,
  NetworkPolicy,
  runConfig,
  type SettingValue,
  type SoftrlError,
  train,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm, kindsOf, largestDifference } from "./bare-algorithm.js";
import { algorithmContract } from "./contract.js";

const wasm = await createWasmExecutor();

/** Settings under which updates begin at once, and the ring is full soon. */
const small: Readonly<Record<string, SettingValue>> = {
  replayCapacity: 300,
  replayStart: 0,
  batchSize: 8,
  trainEvery: 4,
  targetEvery: 7,
};
const withOwn = (own: Readonly<Record<string, SettingValue>>): ChosenSettings => ({
  run: { steps: 4000 },
  network: { hiddenSizes: [16], inputs: "unit" },
  optimiser: { learningRate: 1e-3 },
  algorithm: { ...small, ...own },
});

algorithmContract("dqn", dqn, withOwn({}));
algorithmContract(
  "dqn, soft-entropy, prioritised, 3 steps",
  dqn,
  withOwn({ backup: "soft-entropy", replay: "prioritised", returnSteps: 3 }),
);
algorithmContract(
  "dqn, soft-kl, double, dueling, Polyak",
  dqn,
  withOwn({ backup: "soft-kl", double: true, dueling: true, targetEvery: 1, targetRate: 0.1 }),
);
algorithmContract(
  "dqn, munchausen, Boltzmann behaviour",
  dqn,
  withOwn({ backup: "munchausen", behaviour: "boltzmann" }),
);

const start = (own: Readonly<Record<string, SettingValue>>, seed = 1) =>
  new BareAlgorithm({
    algorithm: dqn,
    environment: new CartPole(4),
    executor: wasm,
    seed,
    settings: withOwn(own),
  });

describe("dqn", () => {
  it("makes an update every trainEvery environment steps, from replayStart on", async () => {
    const run = start({ replayStart: 40, trainEvery: 8 });
    const reports = await run.iterate(10);
    const steps = reports.reduce((sum, report) => sum + report.steps, 0);
    expect(run.algorithm.save().steps).toBe(steps);
    expect(run.algorithm.save().updates).toBe((steps - 40) / 8);
    // No figures before the first update, the same ones after each.
    expect(reports[0].figures).toEqual({});
    expect(Object.keys(reports[9].figures).sort()).toEqual(["epsilon", "gradientNorm", "qLoss", "qValue"]);
  });

  it("reports of how many updates its figures are the means", async () => {
    // An iteration has 36 steps, so that some have four updates and some have five.
    const run = new BareAlgorithm({
      algorithm: dqn,
      environment: new CartPole(3),
      executor: wasm,
      seed: 1,
      settings: withOwn({ trainEvery: 8 }),
    });
    const counts: number[] = [];
    for (let i = 0; i < 10; i++) {
      const before = Number(run.algorithm.save().updates);
      const { updates } = await run.algorithm.iterate(() => {});
      expect(updates).toBe(Number(run.algorithm.save().updates) - before);
      counts.push(Number(updates));
    }
    expect(new Set(counts)).toEqual(new Set([4, 5]));
  });

  it("takes about 4,096 steps an iteration at most, however rare its updates are", async () => {
    const run = start({ trainEvery: 6000, replayStart: 0 });
    const reports = await run.iterate(6);
    expect(reports.map(({ steps }) => steps)).toEqual(new Array(6).fill(4096));
    // At 6,000, 12,000, 18,000 and 24,000 steps; an iteration without an update has no figures.
    expect(run.algorithm.save().updates).toBe(4);
    expect(reports.map(({ figures }) => Object.keys(figures).length > 0)).toEqual([
      false,
      true,
      true,
      false,
      true,
      true,
    ]);
    expect((await start({ trainEvery: 1000 }).iterate(1))[0].steps).toBe(4000);
  });

  it("lets ε fall from 1 at replayStart to the setting", async () => {
    const run = start({ epsilon: 0.2, replayStart: 0, explorationSteps: 320 });
    const reports = await run.iterate(24);
    const { steps } = reports[0];
    reports.forEach(({ figures }, i) => {
      const expected = Math.max(0.2, 1 - (0.8 * (i + 1) * steps) / 320);
      expect(figures.epsilon).toBeCloseTo(expected, 12);
    });
  });

  it("has ε at the setting from replayStart on without exploration steps", async () => {
    const run = start({ epsilon: 0.2, replayStart: 0, explorationSteps: 0 });
    const [{ figures }] = await run.iterate(1);
    expect(figures.epsilon).toBe(0.2);
  });

  it("copies θ to the target network every targetEvery updates", async () => {
    // No update in the first iteration, of 16 steps.
    const run = start({ targetEvery: 8, trainEvery: 4, replayStart: 16 });
    await run.iterate(1);
    const targets: string[] = [];
    const thetas: string[] = [];
    for (let i = 0; i < 6; i++) {
      await run.iterate(1);
      const { learner } = run.algorithm.save() as { learner: { target: object } };
      targets.push(JSON.stringify(learner.target));
      thetas.push(JSON.stringify(run.algorithm.policy.save()));
    }
    // Four updates an iteration: each second iteration ends with a copy.
    for (let i = 0; i < 6; i++) expect(targets[i] === thetas[i]).toBe(i % 2 === 1);
    expect(targets[2]).toBe(targets[1]);
  });

  it("makes up for no update that was due before there was a transition", async () => {
    const run = start({ replayStart: 0, trainEvery: 4, returnSteps: 5 });
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      await run.iterate(1);
      counts.push(Number(run.algorithm.save().updates));
    }
    const made = counts.map((count, i) => count - (counts[i - 1] ?? 0));
    expect(Math.max(...made)).toBe(4);
    expect(made[0]).toBeLessThan(4);
    expect(made[3]).toBe(4);
    // The fifth step of the four environments completes the first transitions.
    expect(run.algorithm.save().learnsFrom).toBe(4 * 4);
  });

  it("saved after a failed step goes on as it does without a restore", async () => {
    class Flaky extends CartPole {
      fails = false;
      override step(actions: Int32Array): void {
        super.step(actions);
        if (!this.fails) return;
        this.fails = false;
        throw new Error("flaky");
      }
    }
    const make = () => {
      const environment = new Flaky(4);
      const settings = withOwn({});
      return {
        environment,
        run: new BareAlgorithm({ algorithm: dqn, environment, executor: wasm, seed: 1, settings }),
      };
    };
    const [first, second] = [make(), make()];
    await first.run.iterate(3);
    first.environment.fails = true;
    await expect(first.run.iterate(1)).rejects.toThrow("flaky");
    await second.run.restore(first.run);
    for (const { run } of [first, second]) await run.iterate(3);
    expect(await second.run.save()).toEqual(await first.run.save());
  });

  it("does the same on the reference executor, up to rounding", async () => {
    for (const own of [{}, { backup: "munchausen" }, { backup: "soft-kl", double: true, dueling: true }]) {
      const [a, b] = [wasm, createReferenceExecutor({ precision: "float64" })].map(
        (executor) =>
          new BareAlgorithm({
            algorithm: dqn,
            environment: new CartPole(2),
            executor,
            seed: 4,
            settings: withOwn(own),
          }),
      );
      for (const run of [a, b]) await run.iterate(6);
      expect(largestDifference(a.theta, b.theta)).toBeLessThan(1e-4);
    }
  });

  it.each([
    [{ tau: 0.3 }, "algorithm.tau: this setting has no effect without a soft backup"],
    [{ munchausenWeight: 0.5 }, "algorithm.munchausenWeight: this setting has no effect without"],
    [{ backup: "soft-kl", munchausenFloor: -2 }, "algorithm.munchausenFloor: this setting has no effect"],
    [{ priorityExponent: 0.7 }, "algorithm.priorityExponent: this setting has no effect without"],
    [{ importanceExponent: 0.5 }, "algorithm.importanceExponent: this setting has no effect without"],
    [{ behaviour: "boltzmann", epsilon: 0.3 }, "algorithm.epsilon: this setting has no effect without"],
    [{ backup: "munchausen", double: true }, "no effect without another backup than munchausen"],
    [{ backup: "munchausen", returnSteps: 2 }, "no effect without another backup than munchausen"],
    [
      { backup: "munchausen", munchausenWeight: 0, munchausenFloor: -2 },
      "algorithm.munchausenFloor: this setting has no effect without",
    ],
    [
      { replay: "prioritised", priorityExponent: 0, importanceExponent: 0.5 },
      "algorithm.importanceExponent: this setting has no effect without",
    ],
    [{ replayFrames: "stacked" }, "the observations are not stacks of frames"],
    [{ replayCapacity: 10 }, "the capacity is too small"],
    [
      { importanceExponent: { from: 0.4, to: 0.9 } },
      "algorithm.importanceExponent: this setting has no effect",
    ],
  ] as const)("refuses %j", (own, message) => {
    expect(() => start(own)).toThrow(message);
  });

  it.each<[Readonly<Record<string, SettingValue>>, RegExp]>([
    [
      { replay: "prioritised" },
      /^dqn: the run has diverged at step \d+, .*error of sample \d+ is not finite/,
    ],
    [{}, /^dqn: .*not finite/],
    [{ backup: "soft-kl" }, /^dqn: .*not finite.*or raise tau\.$/],
  ])("that has diverged says so, with what helps beside %j", async (own, message) => {
    const run = train({
      algorithm: dqn,
      environment: new CartPole(4),
      executor: wasm,
      settings: {
        ...withOwn({ replayStart: 40, loss: "squared", ...own }),
        optimiser: { learningRate: 1e30 },
        run: { steps: 4000 },
      },
    });
    const error: SoftrlError = await run.then(
      () => expect.fail("it has not diverged"),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ name: "SoftrlError", code: "diverged" });
    expect(error.message).toMatch(message);
    expect(error.details.remedy).toMatch(/^lower learningRate or maxGradientNorm(, or raise tau)?$/);
    expect(error.message.includes("tau")).toBe("backup" in own);
  });

  it("refuses a change during a run that it does not read", async () => {
    const environment = new CartPole(4);
    const trainer = createTrainer({ algorithm: dqn, environment, executor: wasm, settings: withOwn({}) });
    await trainer.start();
    const message =
      "Trainer.set: tau: this setting has no effect without a soft backup or the behaviour boltzmann";
    await expect(trainer.set({ tau: 0.5 })).rejects.toThrow(message);
    await expect(trainer.set({ importanceExponent: 0.9 })).rejects.toThrow("without a prioritised replay");
    await trainer.set({ epsilon: 0.5 });
  });
});

describe("dqnPresets", () => {
  it.each(Object.entries(dqnPresets))(
    "%s is a complete configuration, with its own values",
    (name, preset) => {
      const id =
        name === "young-tian" || name === "revisiting-rainbow" ? "MinAtar/Breakout-v1" : "ALE/Pong-v5";
      const kinds = kindsOf(dqn, id, preset.optimiser);
      const config = runConfig({ kinds, environment: id, executor: wasm, chosen: preset.settings });
      const defaults = runConfig({ kinds, environment: id, executor: wasm });
      expect(config.algorithm).toEqual({ ...config.algorithm, ...preset.settings.algorithm });
      if (name === "young-tian") expect(config).toEqual(defaults);
      if (name === "dopamine-nature") {
        expect(config).toEqual({ ...defaults, environment: { ...defaults.environment, count: 1 } });
      }
    },
  );
});

it("stores whole observations of images that are no stack of frames, by default", async () => {
  const pictures = (): Environment => {
    let t = 0;
    return {
      observationSpace: { kind: "box", shape: [8, 8, 3], dtype: "uint8", low: 0, high: 255 },
      actionSpace: { kind: "discrete", n: 2 },
      reset: (_, observation) => {
        t = 0;
        observation.fill(0);
      },
      step: (action, observation) => {
        t++;
        observation.fill(t + action);
        return { reward: action, terminated: t === 9, truncated: false };
      },
      save: () => ({ t }),
      restore: (snapshot) => {
        t = Number(snapshot.t);
      },
    };
  };
  const trainer = createTrainer({
    algorithm: dqn,
    environment: vectorize("Pictures-v0", pictures, 2),
    executor: wasm,
    settings: { run: { steps: 60 }, algorithm: { replayCapacity: 300, replayStart: 20, batchSize: 4 } },
  });
  expect(trainer.config.network.name).toBe("minatar-cnn");
  expect(trainer.config.algorithm).toMatchObject({ replayFrames: "whole", trainEvery: 4, batchSize: 4 });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  expect(trainer.algorithm.save().updates).toBe((trainer.step - 20) / 4);
});

/** A short run of a trainer, and what it has written. */
async function trained(environmentId: string, own: Readonly<Record<string, SettingValue>>, steps: number) {
  const environment = makeEnvironment(environmentId, 2);
  const store = new MemoryRunStore();
  const settings = environmentId === "CartPole-v1" ? withOwn(own) : { algorithm: { ...small, ...own } };
  const trainer = createTrainer({
    algorithm: dqn,
    environment,
    executor: wasm,
    store,
    settings: { ...settings, run: { steps, logEvery: 40 } },
  });
  return { trainer, store, environment };
}

describe("a run of dqn", () => {
  it("that ends before learning starts is warned of", async () => {
    const { trainer, store } = await trained("CartPole-v1", { replayStart: 500 }, 400);
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    const { warning } = await trainer.finish();
    expect(warning).toMatchObject({ reason: "no-update", steps: 400 });
    expect(store.events.filter(({ event }) => event === "warning")).toHaveLength(1);
  });

  it.each([
    ["CartPole-v1", {}],
    ["CartPole-v1", { replay: "prioritised", returnSteps: 3 }],
    ["MinAtar/Breakout-v1", { dueling: true }],
  ] as const)("on %s with %j, resumed from its checkpoint, continues to the bit", async (id, own) => {
    const whole = await trained(id, own, 800);
    await whole.trainer.start();
    while (!whole.trainer.done) await whole.trainer.iterate();
    await whole.trainer.finish();
    const first = await trained(id, own, 800);
    await first.trainer.start();
    while (first.trainer.step < 500) await first.trainer.iterate();
    const resumed = await trained(id, own, 800);
    await resumed.trainer.restore(await first.trainer.save());
    while (!resumed.trainer.done) await resumed.trainer.iterate();
    await resumed.trainer.finish();
    expect(resumed.store.checkpoint).toEqual(whole.store.checkpoint);
  });

  it.each([
    ["CartPole-v1", { dueling: true }, 0],
    ["CartPole-v1", { backup: "soft-kl", tau: 0.3 }, 0.3],
    ["CartPole-v1", { behaviour: "boltzmann", tau: 0.2 }, 0.2],
    ["MinAtar/Breakout-v1", { backup: "munchausen", tau: 0.03 }, 0.03],
  ] as const)("on %s with %j has a policy that loads", async (id, own, tau) => {
    const { trainer, store, environment } = await trained(id, own, 200);
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    const { policy } = trainer.algorithm;
    const loaded = loadPolicy(store.checkpoint ?? new Uint8Array(), wasm, { rows: 2 });
    expect(policy).toBeInstanceOf(NetworkPolicy);
    expect(loaded.form).toEqual(policy.form);
    expect(loaded.form.tau).toBe(tau);
    const { observations } = environment;
    const found = loaded.evaluate(observations);
    expect(found).toEqual(policy.evaluate(observations));
    const { q, v, logPi } = found;
    if (q === null) throw new Error("the policy has no Q");
    const A = q.length / 2;
    for (let b = 0; b < 2; b++) {
      const row = Array.from(q.subarray(b * A, (b + 1) * A));
      const prior = "backup" in own && own.backup === "soft-kl" ? -Math.log(A) : 0;
      const high = Math.max(...row);
      const sum = row.reduce((total, x) => total + Math.exp(prior + (x - high) / tau), 0);
      expect(v[b]).toBeCloseTo(tau === 0 ? high : high + tau * Math.log(sum), 4);
      row.forEach((x, a) => {
        const expected = tau === 0 ? (x === high ? 1 : 0) : Math.exp(prior + (x - v[b]) / tau);
        expect(Math.exp(logPi[b * A + a])).toBeCloseTo(expected, 4);
      });
    }
    const [mine, theirs] = [new Int32Array(2), new Int32Array(2)];
    loaded.act(observations, mine, "mode");
    policy.act(observations, theirs, "mode");
    expect(mine).toEqual(theirs);
  });

  it("that is saved without its replay fills it again before it learns", async () => {
    const own = { saveReplay: false, replayStart: 100, trainEvery: 4 };
    const first = await trained("CartPole-v1", own, 1200);
    await first.trainer.start();
    while (first.trainer.step < 500) await first.trainer.iterate();
    await first.trainer.finish();
    expect(first.store.pieces.kept.size).toBe(0);
    const snapshot = await first.trainer.save();
    expect(snapshot).not.toHaveProperty("pieces");
    expect(snapshot.algorithm).not.toHaveProperty("replay");
    const { updates: before } = snapshot.algorithm as { updates: number };
    expect(before).toBe((first.trainer.step - 100) / 4);

    const { trainer } = await trained("CartPole-v1", own, 1200);
    await trainer.restore(snapshot);
    expect(trainer.algorithm.unsaved).toBe("the replay starts empty, and learning waits for 100 new steps");
    while (!trainer.done) {
      await trainer.iterate();
      const { updates } = trainer.algorithm.save();
      const filled = trainer.step - first.trainer.step;
      expect(updates).toBe(before + Math.max(0, Math.floor((filled - 100) / 4)));
    }
    expect(trainer.algorithm.save().updates).toBeGreaterThan(before + 100);
  });

  it("that has lost its replay can go on without it, and be resumed afterwards", async () => {
    const own = { replayStart: 100, trainEvery: 4, replay: "prioritised" };
    const first = await trained("CartPole-v1", own, 1200);
    await first.trainer.start();
    while (first.trainer.step < 500) await first.trainer.iterate();
    await first.trainer.finish();
    const { pieces: _, ...snapshot } = await first.trainer.save();
    const { updates: before } = snapshot.algorithm as { updates: number };
    const filed = { ...snapshot, pieceFiles: {} };

    const { trainer, store } = await trained("CartPole-v1", own, 1200);
    const lost = await trainer.restore(filed, { withoutReplay: true });
    expect(lost).toBe("the replay starts empty, and learning waits for 100 new steps");
    expect(store.events[0]).toMatchObject({ event: "resumed", withoutReplay: true });
    const updatesAfter = (filled: number) => before + Math.max(0, Math.floor((filled - 100) / 4));
    let again: typeof trainer | null = null;
    while (!trainer.done) {
      await trainer.iterate();
      await again?.iterate();
      const filled = trainer.step - first.trainer.step;
      expect(trainer.algorithm.save().updates).toBe(updatesAfter(filled));
      if (again !== null || filled < 60) continue;
      again = (await trained("CartPole-v1", own, 1200)).trainer;
      expect(await again.restore(await trainer.save())).toBe(null);
    }
    expect(await again?.save()).toEqual(await trainer.save());
  });

  it("goes on without a replay only where there was one", async () => {
    const own = { replayStart: 0, saveReplay: false };
    const first = await trained("CartPole-v1", own, 400);
    await first.trainer.start();
    const snapshot = await first.trainer.save();
    const { trainer } = await trained("CartPole-v1", own, 400);
    await expect(trainer.restore(snapshot, { withoutReplay: true })).rejects.toThrow(
      "the saved run of dqn has no replay to leave out",
    );
  });

  it.each([
    { updates: -1e12 },
    { updates: 0.5 },
    { steps: 1e12 },
    { steps: -4 },
    { learnsFrom: -1e12 },
    { learnsFrom: "0" },
  ])("refuses counts that do not belong together, and never ends otherwise: %o", async (counts) => {
    const first = await trained("CartPole-v1", { replayStart: 100, trainEvery: 4 }, 1200);
    await first.trainer.start();
    while (first.trainer.step < 300) await first.trainer.iterate();
    const snapshot = await first.trainer.save();
    const algorithm = { ...(snapshot.algorithm as object), ...counts };
    const { trainer } = await trained("CartPole-v1", { replayStart: 100, trainEvery: 4 }, 1200);
    await expect(trainer.restore({ ...snapshot, algorithm })).rejects.toThrow("Dqn.restore");
  });

  it("logs no update before replayStart", async () => {
    const { trainer, store } = await trained("CartPole-v1", { replayStart: 200 }, 400);
    await trainer.start();
    while (!trainer.done) await trainer.iterate();
    await trainer.finish();
    const updates = store.events.filter(({ event }) => event === "update");
    expect(updates.length).toBeGreaterThan(2);
    for (const update of updates) expect("step" in update && update.step).toBeGreaterThan(200);
  });

  it("keeps MinAtar's boards as bits: 100,000 of them take a few megabytes", async () => {
    const environment = new MinAtar("Breakout", 1);
    const run = new BareAlgorithm({
      algorithm: dqn,
      environment,
      executor: wasm,
      seed: 1,
      settings: { algorithm: { replayStart: 0 } },
    });
    await run.iterate(20);
    const saved = (run.algorithm.pieces?.() ?? []).map((piece) => piece.save());
    const bytes = saved.reduce((sum, { observations }) => sum + (observations as Uint8Array).length, 0);
    // 81 observations of 400 bits.
    expect(bytes).toBe(81 * 50);
  });
});
