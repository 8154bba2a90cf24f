import {
  a2c,
  CartPole,
  createReferenceExecutor,
  createTrainer,
  isShapedArray,
  type SnapshotLeaf,
  snapshotSection,
} from "softrl";
import { expect, it } from "vitest";

it.each([0, 1])("a learner starts its optimiser from a mean square of %i", (initialMeanSquare) => {
  const trainer = createTrainer({
    algorithm: a2c,
    environment: new CartPole(2),
    executor: createReferenceExecutor(),
    optimiser: "rmsprop",
    settings: { optimiser: { initialMeanSquare }, network: { hiddenSizes: [3], inputs: "unit" } },
  });
  const optimiser = snapshotSection("test", trainer.algorithm.save(), "optimiser");
  const meanSquare = snapshotSection("test", optimiser, "rmsprop.meanSquare");
  const values = Object.values(meanSquare).flatMap((entry) =>
    isShapedArray(entry as SnapshotLeaf) ? Array.from((entry as { values: Float64Array }).values) : [],
  );
  // Two bodies and their heads.
  expect(values).toEqual(new Array(2 * (4 * 3 + 3) + 3 * 2 + 2 + 3 + 1).fill(initialMeanSquare));
});
