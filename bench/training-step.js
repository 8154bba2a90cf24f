// @ts-check
import {
  add,
  constant,
  convolution,
  dense,
  descent,
  fanInUniform,
  flatten,
  gradientVector,
  input,
  logPrior,
  mlp,
  mul,
  natureCnn,
  policyGradientLoss,
  policyValueNetwork,
  program,
  RandomStreams,
  rectifier,
  rmsprop,
  scaledInput,
  sequential,
  state,
  stateValues,
  uniform,
  valueLoss,
} from "softrl";

/**
 * A network and the kind of batch that it is trained on.
 * @typedef {object} NetworkCase
 * @property {string} name
 * @property {import("softrl").LayerDefinition} body
 * @property {readonly (readonly (string | number)[])[]} layers a description of the body for the peers
 * @property {"relu" | "tanh"} activation
 * @property {readonly number[]} observationShape
 * @property {number} actions
 * @property {number} scale the divisor of the observations
 * @property {(random: import("softrl").Random) => number} drawn draws one number of an observation
 */

/** @type {Readonly<Record<"nature" | "minatar" | "mlp", NetworkCase>>} */
export const networks = {
  nature: {
    name: "Nature CNN",
    body: scaledInput(natureCnn(), 1 / 255),
    layers: [
      ["convolution", 32, 8, 4],
      ["convolution", 64, 4, 2],
      ["convolution", 64, 3, 1],
      ["dense", 512],
    ],
    activation: "relu",
    observationShape: [84, 84, 4],
    actions: 6,
    scale: 255,
    drawn: (random) => random.integer(256),
  },
  minatar: {
    name: "MinAtar net",
    body: sequential(convolution(16, 3, 1), rectifier, flatten, dense(128), rectifier),
    layers: [
      ["convolution", 16, 3, 1],
      ["dense", 128],
    ],
    activation: "relu",
    observationShape: [10, 10, 4],
    actions: 6,
    scale: 1,
    drawn: (random) => random.integer(2),
  },
  mlp: {
    name: "MLP 4-64-64",
    body: mlp([64, 64]),
    layers: [
      ["dense", 64],
      ["dense", 64],
    ],
    activation: "tanh",
    observationShape: [4],
    actions: 2,
    scale: 1,
    drawn: (random) => random.uniform(-1, 1),
  },
};

/** The learning rate is tiny, so that one batch can be trained on a million times; the arithmetic is the same. */
export const hyperParameters = {
  learningRate: 1e-8,
  decay: 0.99,
  epsilon: 1e-5,
  tau: 0.01,
  valueCoefficient: 0.5,
  maxGradientNorm: 0.5,
};

/**
 * The programs of one training step with A2C's loss, by the same formulas as `algorithms/a2c.ts`.
 * @param {NetworkCase} network
 * @param {number} batch
 * @param {number} [slices] the number of rollout steps that make up the batch
 */
export function tracedStep({ body, observationShape, actions }, batch, slices = 1) {
  const { tau, valueCoefficient, decay, epsilon, maxGradientNorm, learningRate } = hyperParameters;
  const network = policyValueNetwork(body, observationShape, actions);
  const theta = state("theta", [network.parameters.size]);
  const views = network.parameters.views(theta);
  /** @param {number} rows */
  const evaluated = (rows) => network.apply(input("observations", [rows, ...observationShape]), views);
  const { logPi, v } = evaluated(batch);
  const policyLoss = policyGradientLoss({
    logPi,
    logPrior: logPrior(constant(new Float64Array(actions))),
    actions: input("actions", [batch]),
    advantages: input("advantages", [batch]),
    tau,
  });
  const fit = valueLoss({ v, targets: stateValues(input("targets", [batch])) });
  const loss = add(policyLoss, mul(valueCoefficient, fit));
  const step = descent({
    theta,
    views,
    loss,
    // As in PyTorch, where ε is outside the square root.
    optimiser: rmsprop({ decay, epsilon, epsilonPlace: "outside" }),
    learningRate,
    maxGradientNorm,
  });
  return {
    parameters: network.parameters,
    theta,
    slices,
    slice: program({ outputs: { ...evaluated(batch / slices) } }),
    forward: program({ outputs: { logPi, v } }),
    step: program({ outputs: { loss, gradientNorm: step.gradientNorm }, updates: step.updates }),
    gradient: program({ outputs: { loss, gradient: gradientVector(loss, views) } }),
  };
}

/**
 * Draws the parameters and the batch, from the seed, that all contestants use.
 * @param {NetworkCase} network
 * @param {number} batch
 * @param {number} seed
 */
export function drawnBatch(network, batch, seed) {
  const { observationShape, actions, body, drawn } = network;
  const streams = new RandomStreams(seed);
  const { parameters } = policyValueNetwork(body, observationShape, actions);
  const weights = streams.stream("bench", "parameters");
  const theta = new Float32Array(parameters.size);
  for (const { shape, offset } of parameters.entries) {
    // Biases are random too, because zeros would hide a missing bias.
    const initialiser = shape.length > 1 ? fanInUniform : uniform(0.1);
    theta.set(initialiser(shape, weights), offset);
  }
  const random = streams.stream("bench", "batch");
  const length = observationShape.reduce((product, size) => product * size, batch);
  return {
    theta,
    entries: parameters.entries.map(({ shape, offset, size }) => ({ shape, offset, size })),
    observations: Float32Array.from({ length }, () => drawn(random)),
    actions: Int32Array.from({ length: batch }, () => random.integer(actions)),
    advantages: Float32Array.from({ length: batch }, () => random.uniform(-1, 1)),
    targets: Float32Array.from({ length: batch }, () => random.uniform(-1, 1)),
  };
}

/**
 * Writes a batch to an executor's memory and returns the program to measure. With several slices, the forward passes
 * run here, as in a rollout, and the program reuses their activations.
 * @param {import("softrl").Executor} executor
 * @param {ReturnType<typeof tracedStep>} traced
 * @param {ReturnType<typeof drawnBatch>} data
 * @param {"forward" | "step" | "gradient"} which
 */
export function loadedStep(executor, traced, data, which) {
  const { theta, slice, slices } = traced;
  const programs = { it: traced[which], slice };
  const session =
    slices === 1
      ? executor.load({ it: programs.it })
      : executor.load(programs, { of: "slice", into: "it", slices });
  const { it } = session.programs;
  session.state(theta).set(data.theta);
  session.recorded.forEach((program, t) => {
    const { observations } = data;
    const length = observations.length / slices;
    program.input("observations").set(observations.subarray(t * length, (t + 1) * length));
    program.run();
  });
  if (slices === 1) it.input("observations").set(data.observations);
  if (which !== "forward") {
    it.input("actions").set(data.actions);
    it.input("advantages").set(data.advantages);
    it.input("targets").set(data.targets);
  }
  return it;
}

/**
 * @param {ReturnType<typeof drawnBatch>} data
 * @param {number} batch
 */
export function firstSamples(data, batch) {
  const width = data.observations.length / data.actions.length;
  return {
    ...data,
    observations: data.observations.subarray(0, batch * width),
    actions: data.actions.subarray(0, batch),
    advantages: data.advantages.subarray(0, batch),
    targets: data.targets.subarray(0, batch),
  };
}
