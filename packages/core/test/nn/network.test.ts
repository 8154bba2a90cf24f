import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { minAtarCnn, mlp, natureCnn } from "../../src/nn/body.js";
import { policyValueNetwork, qNetwork } from "../../src/nn/heads.js";
import { convolution, dense } from "../../src/nn/layer.js";
import { constant, input, mul, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { evaluateTensor } from "../tensor/run.js";

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

  it("list their parameters, contiguous and in order", () => {
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

  it("match a plain loop", () => {
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

  it("have a gradient in the order of θ", () => {
    const { parameters, apply } = policyValueNetwork(mlp([3]), [2], 2);
    const theta = state("theta", [parameters.size]);
    const views = parameters.views(theta);
    const { logPi, v } = apply(input("x", [2, 2]), views);
    const y = sum(mul(v, sum(logPi, 1)));
    const { only } = reference.load({
      only: program({ outputs: { y, g: parameters.gradient(y, views) } }),
    }).programs;
    const session = reference.load({ f: program({ outputs: { y, g: parameters.gradient(y, views) } }) });
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

  it("refuse inputs of the wrong rank, with a remedy", () => {
    expect(() => dense(4)([8, 8, 3])).toThrow(
      "dense: the input is not a vector, expected [features], got [8, 8, 3]",
    );
    expect(() => convolution(8, 8, 4)([6, 6, 1])).toThrow("at least 8 × 8");
  });
});
