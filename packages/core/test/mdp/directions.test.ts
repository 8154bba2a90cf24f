import {
  a2cStreamScales,
  constant,
  cosine,
  createReferenceExecutor,
  garnet,
  gradientVector,
  logPrior,
  mlp,
  nStepAdvantages,
  occupancy,
  policyGradientLoss,
  policyValueNetwork,
  policyValues,
  program,
  qValues,
  RandomStreams,
  type SoftMdp,
  softQStreamsLoss,
  state,
  stateDivergences,
  stateValues,
  traceDirections,
  valueLoss,
} from "softrl";
import { describe, expect, it } from "vitest";
import { relativeDifference } from "../../src/mdp/residual.js";

const [states, actions, tau, valueWeight] = [5, 3, 0.2, 0.5];
const network = policyValueNetwork(mlp([7]), [states], actions);
const random = new RandomStreams(5).stream("directions");
const prior = logPrior(Float64Array.of(-1, 0.5, -0.2));
const mdp = garnet({ states, actions, branching: 3, terminal: 0.2 }, random);
const problem: SoftMdp = {
  mdp,
  logPrior: logPrior(Float64Array.from({ length: states * actions }, (_, row) => prior[row % actions])),
  tau,
  gamma: 0.9,
};
const observations = Float64Array.from({ length: states ** 2 }, (_, i) => (i % (states + 1) === 0 ? 1 : 0));
const traced = traceDirections({ network, observations, states, logPrior: prior, tau, valueWeight });
const theta = Float64Array.from({ length: network.parameters.size }, () => random.uniform(-1, 1));
const ownWeights = (d: Float64Array, logPi: Float64Array) =>
  Float64Array.from(logPi, (logP, row) => d[Math.floor(row / actions)] * Math.exp(logP));

describe("traceDirections", () => {
  it("computes the gradients of the library's losses on a batch when weighted by its counts", () => {
    const { logPi, v } = traced.evaluate(theta);
    const advantages = Float64Array.from(logPi, () => random.uniform(-2, 2));
    const batch = Array.from({ length: 40 }, () => [random.integer(states), random.integer(actions)]);
    const weights = new Float64Array(states * actions);
    for (const [s, a] of batch) weights[s * actions + a] += 1 / batch.length;
    const delta = batch.map(([s, a]) => advantages[s * actions + a]);
    const kl = stateDivergences({ ...problem, mdp: { ...mdp, terminal: new Uint8Array(states) } }, logPi);

    const parameters = state("theta", [network.parameters.size]);
    const views = network.parameters.views(parameters);
    const seen = batch.flatMap(([s]) => [...observations.subarray(s * states, (s + 1) * states)]);
    const rows = constant(seen, [batch.length, states]);
    const heads = network.apply(rows, views);
    const chosen = constant(batch.map(([, a]) => a));
    const terms = { ...heads, logPrior: logPrior(constant(prior)), actions: chosen, tau };
    const targets = qValues(constant(batch.map(([s], i) => tau * kl[s] + v[s] + delta[i])));
    const softQ = softQStreamsLoss({ ...terms, targets, scales: a2cStreamScales(tau, valueWeight) });
    const policy = policyGradientLoss({ ...terms, advantages: constant(delta) });
    const fit = valueLoss({
      v: heads.v,
      targets: stateValues(constant(batch.map(([s], i) => v[s] + delta[i]))),
    });
    const gradientOf = (loss: typeof fit) => gradientVector(loss, views);
    const session = createReferenceExecutor({ precision: "float64" }).load({
      main: program({
        outputs: { softQ: gradientOf(softQ), policy: gradientOf(policy), fit: gradientOf(fit) },
      }),
    });
    session.state(parameters).set(theta);
    session.programs.main.run();
    const expected = (name: string) => Float64Array.from(session.programs.main.output(name));

    const directions = traced.directions(weights, advantages);
    expect(relativeDifference(directions.softQ, expected("softQ"))).toBeLessThan(1e-12);
    expect(relativeDifference(directions.policy, expected("policy"))).toBeLessThan(1e-12);
    const both = expected("policy").map((x, k) => x + valueWeight * expected("fit")[k]);
    expect(relativeDifference(directions.policyAndValue, both)).toBeLessThan(1e-12);
    // A batch is not an expectation: the two gradients differ by sampling noise.
    expect(relativeDifference(directions.softQ, directions.policyAndValue)).toBeGreaterThan(1e-3);
  });

  it("gives both algorithms the same direction in expectation over π, for any weights of states (§4)", () => {
    for (let i = 0; i < 20; i++) {
      const here = theta.map((x) => x + random.uniform(-0.5, 0.5));
      const { logPi } = traced.evaluate(here);
      const d = Float64Array.from({ length: states }, () => random.float());
      const advantages = Float64Array.from(logPi, () => random.uniform(-2, 2));
      const { softQ, policyAndValue } = traced.directions(ownWeights(d, logPi), advantages);
      expect(relativeDifference(softQ, policyAndValue)).toBeLessThan(1e-12);
      expect(cosine(softQ, policyAndValue)).toBeCloseTo(1, 12);
    }
  });

  it("equals the gradient of the soft return from the start, given true advantages and discounted visits", () => {
    const { logPi } = traced.evaluate(theta);
    const advantages = nStepAdvantages(problem, logPi, policyValues(problem, logPi), 1);
    const { policy } = traced.directions(ownWeights(occupancy(problem, logPi), logPi), advantages);
    const softReturn = (parameters: Float64Array) => {
      const values = policyValues(problem, traced.evaluate(parameters).logPi);
      return mdp.initial.reduce((sum, p, s) => sum + p * values[s], 0);
    };
    const slopes = theta.map((_, k) => {
      const moved = (by: number) => softReturn(theta.map((x, j) => (j === k ? x + by : x)));
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
    expect(
      relativeDifference(
        policy.map((x) => -x),
        slopes,
      ),
    ).toBeLessThan(1e-7);
  });
});

describe("cosine", () => {
  it("is 1 for parallel, −1 for opposite and 0 for orthogonal directions", () => {
    const x = Float64Array.of(3, 4);
    expect(cosine(x, Float64Array.of(6, 8))).toBeCloseTo(1, 15);
    expect(cosine(x, Float64Array.of(-3, -4))).toBeCloseTo(-1, 15);
    expect(cosine(x, Float64Array.of(-4, 3))).toBe(0);
    expect(cosine(x, Float64Array.of(0, 0))).toBe(0);
    expect(cosine(Float64Array.of(0, 0), Float64Array.of(0, 0))).toBe(1);
  });
});
