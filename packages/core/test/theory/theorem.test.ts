import { logPrior, measureTheorem, RandomStreams, traceTheorem } from "softrl";
import { describe, expect, it } from "vitest";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork, qNetwork } from "../../src/nn/heads.js";

const random = new RandomStreams(6).stream("theorem");
const counting = logPrior(new Float64Array(3));
const observations = Float32Array.from({ length: 20 * 4 }, () => random.uniform(-1, 1));

describe("measureTheorem", () => {
  it("leaves only rounding on networks of both forms, with and without the rescaling", () => {
    for (const network of [policyValueNetwork(mlp([16]), [4], 3), qNetwork(mlp([16]), [4], 3)]) {
      for (const rescaling of [{}, { valueWeight: 0.5 }]) {
        const residual = measureTheorem({
          network,
          theta: network.parameters.initial(random),
          observations,
          batch: 20,
          logPrior: counting,
          tau: 0.01,
          ...rescaling,
          random,
        });
        expect(residual.perSample).toBeLessThan(1e-12);
        expect(residual.expected).toBeLessThan(1e-12);
        expect(residual.perSample).toBeGreaterThan(0);
      }
    }
  });

  it("holds for large values", () => {
    const network = policyValueNetwork(mlp([16]), [4], 3);
    for (const value of [1, 1e3, 1e6]) {
      const theta = network.parameters.initial(random);
      const bias = network.parameters.entries.find(({ name }) => name === "value.bias");
      theta[bias?.offset ?? Number.NaN] = value;
      const given = { network, theta, observations, batch: 20, logPrior: counting, random };
      const { perSample, expected, states } = measureTheorem({ ...given, tau: 0.001, valueWeight: 0.5 });
      expect(states).toBe(4);
      expect(perSample, `V = ${value}`).toBeLessThan(1e-12);
      expect(expected, `V = ${value}`).toBeLessThan(1e-12);
    }
  });

  it("refuses inputs that do not fit the network", () => {
    const network = policyValueNetwork(mlp([16]), [4], 3);
    const theta = network.parameters.initial(random);
    const measurement = {
      network,
      theta,
      observations,
      batch: 20,
      logPrior: counting,
      tau: 0.1,
      random,
    };
    expect(() => measureTheorem({ ...measurement, theta: new Float64Array(3) })).toThrow(
      /theta has the wrong length/,
    );
    expect(() => measureTheorem({ ...measurement, observations: new Float32Array(7) })).toThrow(
      /observations has the wrong length, expected 80, got 7/,
    );
    expect(() => measureTheorem({ ...measurement, batch: 0 })).toThrow(/batch is out of range/);
  });
});

describe("traceTheorem", () => {
  it("has a large gap per sample: a single sample of soft Q-learning differs from one of A2C", () => {
    const network = policyValueNetwork(mlp([16]), [4], 3);
    const theorem = traceTheorem(network, { tau: 0.3, valueWeight: 0.5 });
    theorem.theta.set(network.parameters.initial(random).map((x) => x + random.uniform(-0.3, 0.3)));
    const observation = observations.subarray(0, 4);
    const { v, kl } = theorem.state(observation, counting);
    const advantage = 0.7;
    const { softQ, policyAndValue, gap } = theorem.gradients(
      {
        observation,
        action: 1,
        advantage,
        valueTarget: v + advantage,
        softQTarget: 0.3 * kl + v + advantage,
      },
      counting,
    );
    const largest = (x: Float64Array) => Math.max(...x.map(Math.abs));
    expect(largest(gap)).toBeGreaterThan(0.01 * largest(softQ));
    expect(largest(softQ.map((x, i) => x - policyAndValue[i] - gap[i]))).toBeLessThan(1e-12 * largest(softQ));
  });
});
