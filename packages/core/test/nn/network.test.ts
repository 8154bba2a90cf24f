import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { minAtarCnn, mlp, natureCnn } from "../../src/nn/body.js";
import { policyValueNetwork, qNetwork } from "../../src/nn/heads.js";
import { convolution, dense, flatten, rectifier, sequential, silu } from "../../src/nn/layer.js";
import { layerNorm } from "../../src/nn/layer-norm.js";
import { normalisedInput } from "../../src/nn/normalised-input.js";
import { gradientVector } from "../../src/nn/parameters.js";
import type { Executor } from "../../src/tensor/executor.js";
import { constant, input, mul, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { evaluateTensor, relativeDifference } from "../tensor/run.js";
import { wasmExecutors } from "../tensor/wasm-builds.js";

const reference = createReferenceExecutor();

describe("networks", () => {
  it("have the parameter counts of the papers", () => {
    // Nature CNN with 6 actions: 1,684,128 in the body, 512 · 6 + 6 and 512 + 1 in the heads.
    expect(policyValueNetwork(natureCnn(), [84, 84, 4], 6).parameters.size).toBe(1_684_128 + 3_078 + 513);
    // MinAtar's Breakout: 16 filters of 3 · 3 · 4, 8 · 8 · 16 numbers into 128 units, the heads.
    expect(policyValueNetwork(minAtarCnn(), [10, 10, 4], 6).parameters.size).toBe(
      (9 * 4 + 1) * 16 + (8 * 8 * 16 + 1) * 128 + 129 * 6 + 129,
    );
    expect(policyValueNetwork(mlp([64, 64]), [4], 2).parameters.size).toBe(
      4 * 64 + 64 + 64 * 64 + 64 + 65 * 2 + 65,
    );
    expect(qNetwork(mlp([8]), [3], 5).parameters.size).toBe(3 * 8 + 8 + 8 * 5 + 5);
  });

  it("refuse two parameters of one name, of which a checkpoint would lose one", () => {
    const twice = (shape: readonly number[]) => {
      const layer = dense(3)(shape);
      return { ...layer, parameters: layer.parameters.map((spec) => ({ ...spec, name: "weight" })) };
    };
    expect(() => policyValueNetwork(sequential(flatten, twice), [2], 4)).toThrow(
      /^Parameters: two parameters are named "body\.1\.weight", expected a name of its own for each; rename one/,
    );
  });

  it("name their parameters and place them without gaps", () => {
    const { entries, size } = policyValueNetwork(mlp([3]), [2], 4).parameters;
    expect(entries.map(({ name }) => name)).toEqual([
      "body.1.weight",
      "body.1.bias",
      "policy.weight",
      "policy.bias",
      "value.weight",
      "value.bias",
    ]);
    let next = 0;
    for (const entry of entries) {
      expect(entry.offset).toBe(next);
      next += entry.size;
    }
    expect(next).toBe(size);
  });

  it("compute what a plain loop computes", () => {
    const network = policyValueNetwork(mlp([3]), [2], 2);
    const theta = network.parameters.initial(new RandomStreams(1).stream("parameters"));
    const views = network.parameters.views(constant(theta));
    const { logPi, v } = network.apply(constant([0.5, -1, 2, 0.25], [2, 2]), views);
    const [w, b, wp, bp, wv, bv] = network.parameters.entries.map((e) =>
      theta.slice(e.offset, e.offset + e.size),
    );
    const expectedLogPi: number[] = [];
    const expectedV: number[] = [];
    for (const [x0, x1] of [
      [0.5, -1],
      [2, 0.25],
    ]) {
      const h = [0, 1, 2].map((j) => Math.tanh(x0 * w[j] + x1 * w[3 + j] + b[j]));
      const z = [0, 1].map((a) => h.reduce((total, hj, j) => total + hj * wp[j * 2 + a], bp[a]));
      const normaliser = Math.log(Math.exp(z[0]) + Math.exp(z[1]));
      expectedLogPi.push(z[0] - normaliser, z[1] - normaliser);
      expectedV.push(h.reduce((total, hj, j) => total + hj * wv[j], bv[0]));
    }
    expect(evaluateTensor(reference, logPi)).toEqual(expect.objectContaining({ length: 4 }));
    evaluateTensor(reference, logPi).forEach((value, i) => {
      expect(value).toBeCloseTo(expectedLogPi[i], 13);
    });
    evaluateTensor(reference, v).forEach((value, i) => {
      expect(value).toBeCloseTo(expectedV[i], 13);
    });
  });

  it("start with a nearly uniform policy", () => {
    const network = policyValueNetwork(mlp([64, 64]), [4], 3);
    const theta = network.parameters.initial(new RandomStreams(5).stream("parameters"));
    const { logPi } = network.apply(
      constant([1, -1, 2, 0.5], [1, 4]),
      network.parameters.views(constant(theta)),
    );
    for (const value of evaluateTensor(reference, logPi))
      expect(Math.abs(value + Math.log(3))).toBeLessThan(0.05);
  });

  it("give a gradient in the order of θ", () => {
    const { parameters, apply } = policyValueNetwork(mlp([3]), [2], 2);
    const theta = state("theta", [parameters.size]);
    const views = parameters.views(theta);
    const { logPi, v } = apply(input("x", [2, 2]), views);
    const y = sum(mul(v, sum(logPi, 1)));
    const { only } = reference.load({
      only: program({ outputs: { y, g: gradientVector(y, views) } }),
    }).programs;
    const session = reference.load({ f: program({ outputs: { y, g: gradientVector(y, views) } }) });
    const memory = session.state(theta);
    memory.set(parameters.initial(new RandomStreams(2).stream("parameters")));
    const { f } = session.programs;
    f.input("x").set([0.3, -0.2, 1, 0.7]);
    f.run();
    const traced = Float64Array.from(f.output("g"));
    expect(traced.length).toBe(only.output("g").length);
    for (let i = 0; i < parameters.size; i++) {
      const at = memory[i];
      memory[i] = at + 1e-6;
      f.run();
      const high = f.output("y")[0];
      memory[i] = at - 1e-6;
      f.run();
      const low = f.output("y")[0];
      memory[i] = at;
      expect(traced[i]).toBeCloseTo((high - low) / 2e-6, 7);
    }
  });
});

describe("mlp", () => {
  const names = (body: ReturnType<typeof mlp>) => body([3]).parameters.map(({ name }) => name);

  it("places its layers as before, with layerNorm between dense and activation", () => {
    expect(names(mlp([4, 5], { activation: silu }))).toEqual(["1.weight", "1.bias", "3.weight", "3.bias"]);
    expect(names(mlp([4, 5], { layerNorm: true }))).toEqual([
      "1.weight",
      "1.bias",
      "2.scale",
      "2.bias",
      "4.weight",
      "4.bias",
      "5.scale",
      "5.bias",
    ]);
    expect(mlp([])([2, 3]).outputShape).toEqual([6]);
  });

  it("applies the chosen initialiser, normalisation and activation", () => {
    const body = mlp([2], {
      activation: silu,
      layerNorm: true,
      initialiser: () => Float64Array.of(1, 0, 2, 1),
    })([2]);
    const [weight, bias] = body.parameters.map(({ initialiser, shape }) =>
      initialiser(shape, new RandomStreams(1).stream("parameters")),
    );
    expect(Array.from(weight)).toEqual([1, 0, 2, 1]);
    const parameters = [
      constant(weight, [2, 2]),
      constant(bias),
      constant([1.5, 0.5]),
      constant([0.25, -0.25]),
    ];
    const y = evaluateTensor(reference, body.apply(constant([3, -1], [1, 2]), parameters));
    // x W = [1, −1], which has mean 0 and variance 1.
    const z = [1.5 / Math.sqrt(1 + 1e-6) + 0.25, -0.5 / Math.sqrt(1 + 1e-6) - 0.25];
    z.forEach((value, i) => {
      expect(y[i]).toBeCloseTo(value / (1 + Math.exp(-value)), 13);
    });
  });
});

describe("convolutional networks", () => {
  it("have layerNorm over the channels where it is chosen", () => {
    const names = minAtarCnn({ layerNorm: true })([10, 10, 4]).parameters.map(
      ({ name, shape }) => `${name} ${JSON.stringify(shape)}`,
    );
    expect(names).toEqual([
      "0.weight [3,3,4,16]",
      "0.bias [16]",
      "1.scale [16]",
      "1.bias [16]",
      "4.weight [1024,128]",
      "4.bias [128]",
      "5.scale [128]",
      "5.bias [128]",
    ]);
    expect(natureCnn({ layerNorm: true })([84, 84, 4]).parameters.length).toBe(16);
  });

  it("refuse frames that are too small", () => {
    expect(natureCnn()([36, 36, 1]).outputShape).toEqual([512]);
    expect(() => natureCnn()([36, 35, 1])).toThrow(
      "natureCnn: the frames are too small, expected [height, width, channels] of at least 36 × 36, got [36, 35, 1]",
    );
    expect(() => natureCnn()([4])).toThrow("convolution: the input does not fit");
  });
});

describe("a network with separate bodies", () => {
  const network = policyValueNetwork(mlp([3]), [2], 4, { bodies: "separate" });

  it("names the parameters of each body and head", () => {
    expect(network.parameters.entries.map(({ name }) => name)).toEqual([
      "policy.body.1.weight",
      "policy.body.1.bias",
      "policy.head.weight",
      "policy.head.bias",
      "value.body.1.weight",
      "value.body.1.bias",
      "value.head.weight",
      "value.head.bias",
    ]);
  });

  it("draws each body on its own", () => {
    const theta = network.parameters.initial(new RandomStreams(3).stream("parameters"));
    const weights = (name: string) => {
      const entry = network.parameters.entries.find((candidate) => candidate.name === name);
      if (entry === undefined) throw new Error(name);
      return Array.from(theta.slice(entry.offset, entry.offset + entry.size));
    };
    expect(weights("policy.body.1.weight")).not.toEqual(weights("value.body.1.weight"));
  });

  it("computes log π from the policy's parameters alone, and V from the value's", () => {
    const { parameters, apply } = network;
    const half = parameters.entries.find(({ name }) => name === "value.body.1.weight")?.offset ?? 0;
    const theta = parameters.initial(new RandomStreams(4).stream("parameters"));
    const shared = policyValueNetwork(mlp([3]), [2], 4);
    const x = constant([0.5, -1, 2, 0.25], [2, 2]);
    const at = (values: Float64Array) => {
      const { logPi, v } = apply(x, parameters.views(constant(values)));
      return { logPi: evaluateTensor(reference, logPi), v: evaluateTensor(reference, v) };
    };
    const both = at(theta);
    const otherPolicy = at(theta.map((value, i) => (i < half ? value + 0.1 : value)));
    const otherValue = at(theta.map((value, i) => (i < half ? value : value + 0.1)));
    expect(otherPolicy.v).toEqual(both.v);
    expect(otherPolicy.logPi).not.toEqual(both.logPi);
    expect(otherValue.logPi).toEqual(both.logPi);
    expect(otherValue.v).not.toEqual(both.v);

    // Each half is what a shared network with that body computes.
    const policyOnly = Float64Array.from([...theta.slice(0, half), ...new Float64Array(4)]);
    const { logPi } = shared.apply(x, shared.parameters.views(constant(policyOnly)));
    expect(evaluateTensor(reference, logPi)).toEqual(both.logPi);
  });

  it("refuses another kind of bodies", () => {
    const bodies = JSON.parse('"one"');
    expect(() => policyValueNetwork(mlp([3]), [2], 4, { bodies })).toThrow(
      'policyValueNetwork: bodies is not valid, expected "shared" or "separate", got "one"',
    );
  });
});

const convolutional = sequential(
  convolution(4, 3, 1),
  layerNorm(),
  rectifier,
  flatten,
  dense(8),
  layerNorm(),
  rectifier,
);
const networks = {
  "an mlp with layerNorm and SiLU": policyValueNetwork(
    mlp([16, 8], { activation: silu, layerNorm: true }),
    [6, 6, 2],
    3,
  ),
  "an mlp with separate bodies": policyValueNetwork(mlp([16, 8]), [6, 6, 2], 3, { bodies: "separate" }),
  "an mlp with normalised inputs": policyValueNetwork(normalisedInput(mlp([16, 8])), [6, 6, 2], 3),
  "a convolutional network with normalised inputs": policyValueNetwork(
    normalisedInput(convolutional, 20),
    [6, 6, 2],
    3,
  ),
  "a convolutional network with layerNorm and separate bodies": policyValueNetwork(
    convolutional,
    [6, 6, 2],
    3,
    { bodies: "separate" },
  ),
};

describe.each(Object.entries(networks))("%s", (_, { parameters, apply, observationShape }) => {
  const [rows, slices] = [3, 4];

  /** Outputs of the policy slice by slice, then of an update over the batch, which may use what those computed. */
  function outputs(executor: Executor): number[][] {
    const theta = state("theta", [parameters.size]);
    const views = parameters.views(theta);
    const policy = apply(input("observations", [rows, ...observationShape]), views);
    const { logPi, v } = apply(input("observations", [rows * slices, ...observationShape]), views);
    const loss = sum(mul(v, sum(mul(logPi, input("weights", logPi.shape)), 1)));
    const session = executor.load(
      {
        policy: program({ outputs: { ...policy } }),
        update: program({ outputs: { loss, gradient: gradientVector(loss, views) } }),
      },
      { of: "policy", into: "update", slices },
    );
    const random = new RandomStreams(8).stream("numbers");
    session.state(theta).set(parameters.initial(random));
    const observations = Float32Array.from(
      { length: slices * session.programs.policy.input("observations").length },
      () => random.uniform(-1, 1),
    );
    const { update } = session.programs;
    update.input("observations").set(observations);
    update.input("weights").set(update.input("weights").map(() => random.uniform(-1, 1)));
    const results: number[][] = [];
    for (const [t, slice] of session.recorded.entries()) {
      const length = observations.length / slices;
      slice.input("observations").set(observations.subarray(t * length, (t + 1) * length));
      slice.run();
      results.push(Array.from(slice.output("logPi")), Array.from(slice.output("v")));
    }
    update.run();
    results.push(Array.from(update.output("loss")), Array.from(update.output("gradient")));
    return results;
  }

  it.each(wasmExecutors)(
    "gives on $name, which reuses the policy's forward pass in the update, what the reference gives",
    (executor) => {
      const expected = outputs(reference);
      outputs(executor).forEach((values, i) => {
        expect(relativeDifference(values, expected[i]), `output ${i}`).toBeLessThan(1e-5);
      });
    },
  );
});
