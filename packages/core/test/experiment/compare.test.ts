import {
  compare,
  createReferenceExecutor,
  makeAlgorithm,
  makeEnvironment,
  Trainer,
  trainConfig,
} from "softrl";
import { describe, expect, test } from "vitest";

const executor = createReferenceExecutor();
const clock = () => 0;

function trainers(gap: "kept" | "subtracted", reference: "entropy" | "uniform"): Trainer[] {
  return (["a2c", "soft-q"] as const).map((algorithm) => {
    const config = trainConfig({ algorithm, reference, steps: 4000, hiddenSizes: [16], tau: 0.05, seed: 3 });
    const environment = makeEnvironment(config.environment, config.environments);
    return new Trainer(config, {
      environment,
      algorithm: makeAlgorithm(config, environment, executor, { gap }),
      clock,
    });
  });
}

describe("compare", () => {
  test.each(["entropy", "uniform"] as const)(
    "soft Q-learning less the gap has A2C's parameters after every update, with π̄ %s",
    async (reference) => {
      const subtracted = await compare(
        trainers("subtracted", reference),
        { clock },
        { watchParameters: true },
      );
      expect(subtracted.parameterDistance?.updates).toBe(100);
      expect(subtracted.parameterDistance?.largest).toBeLessThan(1e-12);
      const kept = await compare(trainers("kept", reference), { clock }, { watchParameters: true });
      expect(kept.parameterDistance?.largest).toBeGreaterThan(1e-6);
    },
  );

  test("measures the theorem at what was learned", async () => {
    const { theorem, parameterDistance, faces } = await compare(trainers("kept", "uniform"), { clock });
    expect(theorem.perSample).toBeLessThan(1e-12);
    expect(theorem.expected).toBeLessThan(1e-12);
    expect(theorem.perSample).toBeGreaterThan(0);
    expect(theorem.holds).toBe(true);
    expect(parameterDistance).toBeNull();
    expect(faces.map(({ steps }) => steps)).toEqual([4000, 4000]);
  });
});
