import {
  a2c,
  createTrainer,
  createWasmExecutor,
  evaluate,
  makeEnvironment,
  train,
  type VectorEnvironment,
} from "softrl";
import { expect, test } from "vitest";

const executor = await createWasmExecutor();

const parts = (environment: VectorEnvironment, seed: number) => ({
  algorithm: a2c,
  environment,
  executor,
  settings: { run: { steps: 400, seed }, network: { hiddenSizes: [4] } },
});
const cartPoles = () => makeEnvironment("CartPole-v1", 4);
const INTERLEAVED = /^Trainer\.iterate: the environments CartPole-v1 were reset by another training or eval/;

/** A training with a pause after each iteration, in which others get their turn. */
const paused = (environment: VectorEnvironment, seed: number) => {
  let seconds = 0;
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve));
  return train({ ...parts(environment, seed), clock: () => seconds++, pause });
};

test("trainings may follow one another on the same environments", async () => {
  const environment = cartPoles();
  const first = await train(parts(environment, 1));
  await train(parts(environment, 2));
  const again = await train(parts(environment, 1));
  expect(again.policy.save()).toEqual(first.policy.save());
});

test("a training on environments in use is refused, and the other one goes on undisturbed", async () => {
  const environment = cartPoles();
  const alone = await train(parts(cartPoles(), 1));
  const running = paused(environment, 1);
  await new Promise((resolve) => setTimeout(resolve));
  await expect(train(parts(environment, 2))).rejects.toThrow(
    /^Trainer\.start: the environments CartPole-v1 are in use, expected .*; make environments for each/,
  );
  expect((await running).policy.save()).toEqual(alone.policy.save());
});

test("a training that is dropped or fails leaves its environments free", async () => {
  const environment = cartPoles();
  const dropped = createTrainer(parts(environment, 1));
  await dropped.start();
  await dropped.iterate();
  await train(parts(environment, 2));
  await expect(dropped.iterate()).rejects.toThrow(INTERLEAVED);
  await expect(dropped.save()).rejects.toThrow(/were reset by another training/);

  const failing = { ...environment, clock: () => Number.NaN };
  await expect(train({ ...parts(environment, 1), clock: failing.clock })).rejects.toThrow(/^clock: /);
  await train(parts(environment, 2));
});

test("two trainings in turn on the same environments are refused", async () => {
  const environment = cartPoles();
  const trainers = [1, 2].map((seed) => createTrainer(parts(environment, seed)));
  for (const trainer of trainers) await trainer.start();
  await expect(trainers[0].iterate()).rejects.toThrow(INTERLEAVED);
  await trainers[1].iterate();
});

test("an evaluation on the environments of a training is refused, or ends the training", async () => {
  const environment = cartPoles();
  const trainer = createTrainer(parts(environment, 1));
  await trainer.start();
  const evaluation = () =>
    evaluate({ policy: trainer.algorithm.policy, environment, episodes: 4, mode: "sample", seed: 1 });
  const running = paused(cartPoles(), 1);
  await evaluation();
  await expect(trainer.iterate()).rejects.toThrow(INTERLEAVED);
  await running;
  const both = await Promise.allSettled([evaluation(), evaluation()]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("a trainer at work refuses to be saved, or iterated a second time", async () => {
  const trainer = createTrainer(parts(cartPoles(), 1));
  await trainer.start();
  const [first, ...others] = await Promise.allSettled([trainer.iterate(), trainer.iterate(), trainer.save()]);
  expect(first.status).toBe("fulfilled");
  for (const other of others) {
    const message = expect.stringMatching(/^Trainer\.(iterate|save): called at the wrong time/);
    expect(other).toMatchObject({ status: "rejected", reason: { message } });
  }
  await trainer.save();
});

test("an algorithm refuses an iteration while another one waits for its environments", async () => {
  const environment = cartPoles();
  const step = environment.step.bind(environment);
  const later: VectorEnvironment = Object.defineProperty(environment, "step", {
    value: async (actions: Int32Array) => {
      await null;
      step(actions);
    },
  });
  const trainer = createTrainer(parts(later, 1));
  await trainer.start();
  const iterations = await Promise.allSettled([1, 2].map(() => trainer.algorithm.iterate(() => {})));
  expect(iterations.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(iterations[1]).toMatchObject({
    reason: { message: expect.stringMatching(/^Collector\.collect: called while the rollout before/) },
  });
});
