import {
  adam,
  add,
  broadcastTo,
  conv2d,
  dense,
  descent,
  type Executor,
  flatten,
  gradient,
  input,
  type LayerDefinition,
  logSumExp,
  matmul,
  max,
  mean,
  mul,
  natureCnn,
  type Program,
  policyValueNetwork,
  program,
  RandomStreams,
  relu,
  sequential,
  slice,
  square,
  state,
  sum,
  tanh,
} from "softrl";

/** One training step, large enough that threads share every one of its kernels. */
function training(body: LayerDefinition, observationShape: readonly number[], batch: number): Program {
  const { parameters, apply } = policyValueNetwork(body, observationShape, 5);
  const theta = state("theta", [parameters.size]);
  const views = parameters.views(theta);
  const { logPi, v } = apply(input("observations", [batch, ...observationShape]), views);
  const loss = add(mean(square(v)), mean(mul(logPi, logPi)));
  const step = descent({
    theta,
    views,
    loss,
    optimiser: adam({}),
    learningRate: 1e-3,
    maxGradientNorm: 0.5,
  });
  return program({ outputs: { loss, norm: step.gradientNorm }, updates: [...step.updates] });
}

function convolutionOfOddSizes(): Program {
  const image = input("image", [48, 23, 21, 5]);
  const filter = input("filter", [3, 4, 5, 21]);
  const y = tanh(conv2d(image, filter, { strideY: 2, strideX: 1 }));
  const [image_, filter_] = gradient(sum(square(y)), [image, filter]);
  return program({ outputs: { y, image_, filter_ } });
}

function products(): Program {
  const a = input("a", [210, 301]);
  const b = input("b", [301, 130]);
  const bias = input("bias", [130]);
  const c = relu(add(matmul(a, b), bias));
  const d = matmul(c, a, { transposeA: true });
  const e = tanh(matmul(c, b, { transposeB: true }));
  const f = matmul(b, a, { transposeA: true, transposeB: true });
  return program({ outputs: { c, d, e, f } });
}

function reductions(): Program {
  const x = input("x", [50_000, 33]);
  const y = tanh(x);
  return program({
    outputs: {
      all: sum(y),
      largest: max(y),
      columns: sum(y, 0),
      largestColumns: max(y, 0),
      rows: sum(y, 1),
      normalisers: logSumExp(y),
    },
  });
}

/** A product with weights that do not fit into any cache, in columns that threads share. */
function streamedProduct(): Program {
  return program({ outputs: { y: matmul(input("x", [40, 700]), input("w", [700, 390])) } });
}

/** A map that adds one of its own input numbers to all of them, and must not overwrite that number first. */
function mapOfOneOfItsNumbers(): Program {
  const x = tanh(input("x", [600_000]));
  const y = add(x, broadcastTo(slice(x, [0], [1]), x.shape));
  return program({ outputs: { all: sum(y), largest: max(y) } });
}

/** Programs whose kernels are large enough to be shared among threads. */
export const largePrograms: readonly (readonly [string, () => Program])[] = [
  ["a training step of a convolutional network", () => training(natureCnn(), [44, 44, 4], 40)],
  [
    "a training step of dense layers",
    () => training(sequential(flatten, dense(300), dense(257)), [7, 9], 400),
  ],
  ["convolutions of odd sizes", convolutionOfOddSizes],
  ["products", products],
  ["reductions", reductions],
  ["a product with streamed weights", streamedProduct],
  ["a map that reads one of its own numbers", mapOfOneOfItsNumbers],
];

/** All outputs and states of three runs. */
export function threeRuns(executor: Executor, traced: Program): Record<string, Float32Array> {
  const random = new RandomStreams(5).stream("numbers");
  const session = executor.load({ only: traced });
  const { only } = session.programs;
  for (const name of traced.inputs.keys()) {
    const values = only.input(name);
    for (let i = 0; i < values.length; i++) values[i] = random.uniform(-1, 1);
  }
  const states = traced.updates.map(({ state: at }) => session.state(traced.steps[at].tensor));
  const theta = states[0] ?? [];
  for (let i = 0; i < theta.length; i++) theta[i] = random.uniform(-0.05, 0.05);
  for (let run = 0; run < 3; run++) only.run();
  return Object.fromEntries([
    ...[...traced.outputs.keys()].map((name) => [name, Float32Array.from(only.output(name))] as const),
    ...states.map((values, i) => [`state ${i}`, Float32Array.from(values)] as const),
  ]);
}
