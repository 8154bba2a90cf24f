import {
  type AlgorithmKind,
  a2c,
  createWasmExecutor,
  type Environment,
  isShapedArray,
  type Snapshot,
  type SnapshotLeaf,
  shapedArray,
  softQLearning,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";
import { BareAlgorithm } from "./bare-algorithm.js";
import { formerCoefficients, formerSoftQ } from "./former-algorithms.js";

const executor = await createWasmExecutor();

/** Random observations and rewards, and no end: with γ = 1, a constant added to V leaves every advantage as it is. */
function endless(): Environment {
  let random: Parameters<Environment["reset"]>[0] | null = null;
  const observe = (observation: Parameters<Environment["step"]>[1]) => {
    for (let i = 0; i < observation.length; i++) observation[i] = random?.uniform(-1, 1) ?? 0;
  };
  return {
    observationSpace: { kind: "box", shape: [3], dtype: "float32", low: -1, high: 1 },
    actionSpace: { kind: "discrete", n: 3 },
    reset(stream, observation) {
      random = stream;
      observe(observation);
    },
    step(action, observation) {
      observe(observation);
      return { reward: action - observation[0], terminated: false, truncated: false };
    },
    save: () => ({}),
    restore: () => {},
  };
}

/** One update of an algorithm whose V is `value` everywhere: the step of each parameter. */
async function update(algorithm: AlgorithmKind, value: number) {
  const run = new BareAlgorithm({
    algorithm,
    environment: vectorize("Endless-v0", endless, 8),
    executor,
    seed: 3,
    optimiser: "sgd",
    settings: {
      network: { hiddenSizes: [16] },
      optimiser: { learningRate: 1, maxGradientNorm: 1e9 },
      algorithm: { ...formerCoefficients, gamma: 1, bodies: "shared" },
    },
  });
  const { policy } = run.algorithm;
  const initial = policy.save();
  policy.restore({
    ...initial,
    "value.weight": filled(initial["value.weight"], 0),
    "value.bias": filled(initial["value.bias"], value),
  });
  const before = policy.save();
  await run.iterate(1);
  return (name: string) => {
    const [old, moved] = [valuesOf(before, name), valuesOf(policy.save(), name)];
    return Float64Array.from(moved, (x, i) => x - old[i]);
  };
}

function valuesOf(snapshot: Snapshot, name: string): Float32Array {
  const entry = snapshot[name];
  const values = isShapedArray(entry) ? entry.values : entry;
  if (values instanceof Float32Array) return values;
  throw new Error(`${name} is not a float32 array`);
}

function filled(entry: SnapshotLeaf | Snapshot, value: number): SnapshotLeaf {
  if (!isShapedArray(entry)) throw new Error("not an array with a shape");
  return shapedArray(entry.shape, new Float32Array(entry.values.length).fill(value));
}

/** ‖far − near‖ / ‖near‖ of the steps of the policy's head and the body, V being 1e5 and 0; the largest. */
async function lostDigits(algorithm: AlgorithmKind): Promise<number> {
  const [near, far] = [await update(algorithm, 0), await update(algorithm, 1e5)];
  const distances = ["policy.weight", "policy.bias", "body.1.weight", "body.1.bias"].map((name) => {
    const [expected, step] = [near(name), far(name)];
    const norm = Math.hypot(...expected);
    expect(norm, name).toBeGreaterThan(1e-3);
    return Math.hypot(...step.map((x, i) => x - expected[i])) / norm;
  });
  return Math.max(...distances);
}

describe("soft Q-learning in float32 with V near 1e5", () => {
  it("moves the policy's head and the body as with V near 0, for the same advantages", async () => {
    expect(await lostDigits(softQLearning)).toBeLessThan(1e-5);
    expect(await lostDigits(a2c)).toBeLessThan(1e-5);
  });

  it("lost digits when y was rounded as a whole", async () => {
    expect(await lostDigits(formerSoftQ)).toBeGreaterThan(1e-5);
  });
});
