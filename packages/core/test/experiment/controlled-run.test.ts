import {
  builtInKinds,
  CartPole,
  type ControlAnswers,
  type ControlledChoice,
  type ControlParts,
  createTrainer,
  createWasmExecutor,
  encodeCheckpoint,
  loadPolicy,
  makeEnvironment,
  RunControl,
  readEnvironmentOptions,
  SoftrlError,
  serveControlledRun,
  softQLearning,
  type VectorEnvironment,
  type WorkerHost,
} from "softrl";
import { afterEach, describe, expect, test } from "vitest";
import { sameThreadWorker } from "./same-thread-workers.js";

const executor = await createWasmExecutor();
/** Environment steps of an iteration: 5 steps of 8 environments. */
const ITERATION = 40;
const SECONDS = () => performance.now() / 1000;

/** The environments that the runs of a test have open. */
let open = 0;
/** What the next environments do otherwise. */
let changeNext: (environment: VectorEnvironment) => void = () => {};

const environment: ControlParts["environment"] = (id, size, options) => {
  const known = id === "CartPole-v1" ? readEnvironmentOptions("options", id, options) : {};
  const made = makeEnvironment(id, size, known);
  changeNext(made);
  open++;
  const { close } = made;
  made.close = async () => {
    open--;
    await close.call(made);
  };
  return made;
};

const sameThread: WorkerHost = {
  start: (_code, _data, events) =>
    sameThreadWorker(events, (parent) => {
      const parts: ControlParts = { kinds: builtInKinds, executor, clock: SECONDS, environment };
      const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
      serveControlledRun(parent, parts, { pause }).catch(events.ended);
    }),
  wait: () => false,
  every: () => () => {},
};

const controls: RunControl[] = [];
const control = () => {
  const made = new RunControl(sameThread, { module: "", entry: "" });
  controls.push(made);
  return made;
};
afterEach(async () => {
  changeNext = () => {};
  for (const made of controls.splice(0)) await made.ask({ kind: "close" }).catch(() => {});
  open = 0;
});

const choice = (algorithm = "soft-q", steps = 8000): ControlledChoice => ({
  algorithm,
  environment: "CartPole-v1",
  settings: { run: { seed: 7, steps, logEvery: 400 } },
});

describe("a controlled run", () => {
  test("is the run of a trainer, bit for bit, watched or not", async () => {
    const run = control();
    const first = await run.ask({ kind: "start", choice: choice() });
    expect(first.progress).toMatchObject({ algorithm: "soft-q", step: 0, steps: 8000 });
    expect(first.tau).toBe(0.001);
    const going = run.ask({ kind: "run", steps: 2000 });
    for (let i = 0; i < 5; i++) await run.ask({ kind: "play", steps: 3, action: null });
    await run.ask({ kind: "measure" });
    expect((await going).progress.step).toBe(2000);
    const saved = await run.ask({ kind: "save" });

    const trainer = createTrainer({
      algorithm: softQLearning,
      environment: new CartPole(8),
      executor,
      settings: choice().settings ?? {},
    });
    await trainer.start();
    while (trainer.step < 2000) await trainer.iterate();
    expect(saved.step).toBe(2000);
    expect(saved.checkpoint).toEqual(encodeCheckpoint(await trainer.save()));
  });

  test("takes one iteration as a step, rests at the interval, and ends with the run", async () => {
    const run = control();
    await run.ask({ kind: "start", choice: choice("a2c", 400) });
    expect((await run.ask({ kind: "run", steps: 1 })).progress.step).toBe(ITERATION);
    expect((await run.ask({ kind: "run", steps: 90 })).progress.step).toBe(4 * ITERATION);
    const ended = await run.ask({ kind: "run", steps: 1e9 });
    expect(ended).toMatchObject({ done: true, progress: { step: 400 } });
    expect((await run.ask({ kind: "run", steps: 1 })).progress.step).toBe(400);
  });

  test("is paused between two iterations; without a goal it goes on beyond its end", async () => {
    const run = control();
    await run.ask({ kind: "start", choice: choice("a2c", 400) });
    const going = run.ask({ kind: "run", steps: null });
    let step = 0;
    while (step < 1000) ({ step } = await run.ask({ kind: "save" }));
    const paused = await run.ask({ kind: "pause" });
    const answered = await going;
    expect(answered.progress.step).toBe(paused.progress.step);
    expect(answered.progress.step % ITERATION).toBe(0);
    expect(answered.events.filter(({ event }) => event === "set")[0]).toEqual({
      event: "set",
      step: 400,
      settings: { steps: 800 },
    });
    expect((await run.ask({ kind: "save" })).step).toBe(paused.progress.step);
  });

  test("takes a live setting, which its events report and which changes the run", async () => {
    const [run, other] = [control(), control()];
    for (const one of [run, other]) {
      await one.ask({ kind: "start", choice: choice() });
      await one.ask({ kind: "run", steps: 400 });
    }
    const state = await run.ask({ kind: "set", settings: { tau: 0.1 } });
    expect(state.tau).toBe(0.1);
    expect(state.events).toContainEqual({ event: "set", step: 400, settings: { tau: 0.1 } });
    const bytes: Uint8Array[] = [];
    for (const one of [run, other]) {
      await one.ask({ kind: "run", steps: 400 });
      bytes.push((await one.ask({ kind: "save" })).checkpoint);
    }
    expect(bytes[0]).not.toEqual(bytes[1]);
    await expect(run.ask({ kind: "set", settings: { tau: -1 } })).rejects.toThrow(SoftrlError);
    expect((await run.ask({ kind: "pause" })).tau).toBe(0.1);
  });

  test("goes on from a snapshot as if it had never stopped; its policy can be loaded", async () => {
    const run = control();
    await run.ask({ kind: "start", choice: choice("a2c") });
    await run.ask({ kind: "run", steps: 800 });
    const middle = await run.ask({ kind: "save" });
    const curveEnd = async (one: RunControl) => {
      const { curve, curveFrom } = await one.ask({ kind: "run", steps: 800 });
      return [curveFrom + curve.steps.length, curve.steps.at(-1)];
    };
    const end = await curveEnd(run);
    const wanted = await run.ask({ kind: "save" });
    const other = control();
    const loaded = await other.ask({ kind: "load", checkpoint: middle.checkpoint });
    expect(loaded).toMatchObject({ progress: { algorithm: "a2c", step: 800 }, curveFrom: 0 });
    expect(loaded.curve.steps).toEqual([400, 800]);
    expect(await curveEnd(other)).toEqual(end);
    expect((await other.ask({ kind: "save" })).checkpoint).toEqual(wanted.checkpoint);

    const observations = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i) / 10);
    const seen = await other.ask({ kind: "evaluate", observations });
    const policy = loadPolicy(wanted.checkpoint, executor, { rows: 8 });
    const actions = new Int32Array(10);
    policy.act(observations, actions, "mode");
    expect(seen.actions).toEqual(actions);
    expect(seen.logPi).toEqual(Float64Array.from(policy.evaluate(observations).logPi));
    expect(seen.q).toHaveLength(20);
  });

  test("plays: the policy's actions, or those of a person, as a picture with π, V and Q", async () => {
    const run = control();
    await run.ask({ kind: "start", choice: choice() });
    const play = (steps: number, action: number | null = null) => run.ask({ kind: "play", steps, action });
    const still = await play(0);
    expect(still).toMatchObject({ action: null, length: 0, picture: { width: 300, height: 200 } });
    expect(await play(0)).toEqual(still);
    expect(still.picture.rgba).toHaveLength(4 * 300 * 200);
    expect(still.picture.rgba.filter((_, i) => i % 4 === 3).every((opacity) => opacity === 255)).toBe(true);
    const [left, right] = still.probabilities;
    expect(left + right).toBeCloseTo(1, 6);
    // Q = V + τ log π, with the counting measure for π̄.
    const [q, v] = [still.q?.[1] ?? Number.NaN, still.v ?? Number.NaN];
    expect(q - v).toBeCloseTo(0.001 * Math.log(right), 9);
    let frame = await play(1, 1);
    expect(frame).toMatchObject({ action: 1, length: 1, return: 1 });
    for (let i = 0; frame.lastReturn === null && i < 100; i++) frame = await play(1, 1);
    expect(frame).toMatchObject({ action: null, length: 0, return: 0 });
    expect(frame.lastReturn).toBeGreaterThan(5);
    await expect(play(1, 2)).rejects.toThrow(/out of range/);
  });

  test.each(["CartPole-v1", "MinAtar/Breakout-v1"])(
    "measures the theorem in %s: a gap for each sample, none on average",
    async (environment) => {
      const run = control();
      await run.ask({ kind: "start", choice: { ...choice("a2c"), environment } });
      await run.ask({ kind: "run", steps: 400 });
      await run.ask({ kind: "set", settings: { tau: 0.5 } });
      const before = await run.ask({ kind: "play", steps: 2, action: null });
      const { perSample = 0, expected = 1, step } = (await run.ask({ kind: "measure" })) ?? {};
      expect(step).toBeGreaterThanOrEqual(400);
      expect(perSample).toBeGreaterThan(1e-4);
      expect(expected).toBeLessThan(1e-12);
      const after: ControlAnswers["play"] = await run.ask({ kind: "play", steps: 0, action: null });
      expect(after.observation).toEqual(before.observation);
    },
  );

  test("answers what cannot be done with an error, and goes on", async () => {
    const run = control();
    await expect(run.ask({ kind: "run", steps: 1 })).rejects.toThrow(/start one, or load a checkpoint/);
    await expect(run.ask({ kind: "start", choice: { ...choice(), algorithm: "soft" } })).rejects.toThrow(
      /unknown name/,
    );
    await expect(run.ask({ kind: "load", checkpoint: new Uint8Array(9) })).rejects.toThrow(SoftrlError);
    await run.ask({ kind: "start", choice: choice() });
    await expect(run.ask({ kind: "run", steps: Number.NaN })).rejects.toThrow(/steps is out of range/);
    expect((await run.ask({ kind: "run", steps: 1 })).progress.step).toBe(ITERATION);
    await run.stop();
    await expect(run.ask({ kind: "pause" })).rejects.toMatchObject({ code: "worker-lost" });
  });

  test.each([
    ["environments cannot be made", () => expect.fail("no environment")],
    [
      "environments cannot start",
      (made: VectorEnvironment) => {
        made.reset = async () => expect.fail("no start");
        made.restore = async () => expect.fail("no state");
      },
    ],
  ])("stays as it was where another's %s", async (_why, change) => {
    const run = control();
    await run.ask({ kind: "start", choice: choice("a2c") });
    await run.ask({ kind: "run", steps: 400 });
    await run.ask({ kind: "play", steps: 3, action: 1 });
    const before = await run.ask({ kind: "save" });
    const shown = await run.ask({ kind: "play", steps: 0, action: null });
    changeNext = change;
    await expect(run.ask({ kind: "start", choice: choice() })).rejects.toThrow(/no (environment|start)/);
    await expect(run.ask({ kind: "load", checkpoint: before.checkpoint })).rejects.toThrow(
      /no (environment|state)/,
    );
    changeNext = () => {};
    expect(open).toBe(2);
    const { observation, length } = await run.ask({ kind: "play", steps: 0, action: null });
    expect({ observation, length }).toEqual({ observation: shown.observation, length: 3 });
    expect(Buffer.compare((await run.ask({ kind: "save" })).checkpoint, before.checkpoint)).toBe(0);
    const { progress, curveFrom, events } = await run.ask({ kind: "run", steps: 1 });
    expect(progress).toMatchObject({ algorithm: "a2c", step: 440 });
    expect([curveFrom, events]).toEqual([1, []]);
    await run.ask({ kind: "start", choice: choice() });
    expect(open).toBe(1);
    await run.ask({ kind: "close" });
    expect(open).toBe(0);
  });

  test("ends with its close: what waits and what is asked later is an error", async () => {
    const run = control();
    await run.ask({ kind: "start", choice: choice() });
    const closing = run.ask({ kind: "close" });
    const late = run.ask({ kind: "pause" });
    expect(await closing).toBeNull();
    const lost = { code: "worker-lost", message: expect.stringContaining("the run was closed") };
    await expect(late).rejects.toMatchObject(lost);
    await expect(run.ask({ kind: "save" })).rejects.toMatchObject(lost);
    await expect(run.ask({ kind: "close" })).rejects.toMatchObject(lost);
  });
});
