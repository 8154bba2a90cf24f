import { a2c, createReferenceExecutor, createTrainer, makeEnvironment, Oracle } from "softrl";
import { expect, test } from "vitest";

const choice = () => ({
  algorithm: a2c,
  environment: makeEnvironment("GridWorld-v0", 2),
  executor: createReferenceExecutor(),
  settings: { run: { steps: 20, oracleEvery: 10 } },
});

test("a run with oracleEvery takes the oracle by value", async () => {
  const trainer = createTrainer({ ...choice(), oracle: Oracle });
  await trainer.start();
  expect(trainer.measurements.map(({ step }) => step)).toEqual([0]);
});

test("and is refused without one", () => {
  expect(() => createTrainer(choice())).toThrow(
    "Trainer: a run with oracleEvery needs an oracle, expected 0 for a run without, got oracleEvery 10; " +
      "pass the class: oracle: Oracle",
  );
});
