import { createNativeExecutor, createNativeMachine, inspectNative } from "@softrl/native";
import {
  adam,
  add,
  conv2d,
  createWasmExecutor,
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
  square,
  state,
  sum,
  tanh,
} from "softrl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { relativeDifference } from "../../core/test/tensor/run.js";
import { describeNative, variants } from "./native-machines.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** One step of training: large enough that every kernel of it is shared. */
function training(body: LayerDefinition, observationShape: readonly number[], batch: number): Program {
  const { parameters, apply } = policyValueNetwork(body, observationShape, 5);
  const theta = state("theta", [parameters.size]);
  const views = parameters.views(theta);
  const { logPi, v } = apply(input("observations", [batch, ...observationShape]), views);
  const loss = add(mean(square(v)), mean(mul(logPi, logPi)));
  const step = descent({
    parameters,
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

const programs: readonly (readonly [string, () => Program])[] = [
  ["a training step of a convolutional network", () => training(natureCnn(), [44, 44, 4], 40)],
  [
    "a training step of dense layers",
    () => training(sequential(flatten, dense(300), dense(257)), [7, 9], 400),
  ],
  ["convolutions of odd sizes", convolutionOfOddSizes],
  ["products", products],
  ["reductions", reductions],
];

/** Everything that comes out of three runs. */
function results(executor: Executor, traced: Program): Record<string, Float32Array> {
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

describeNative("threads", () => {
  describe.each(programs)("%s", (_, trace) => {
    const traced = trace();

    it.each(variants)(
      "gives the same bytes with 1, 2 and 3 threads, near WebAssembly's (%s)",
      async (_, options) => {
        const one = results(createNativeExecutor({ ...options, threads: 1 }), traced);
        for (const threads of [2, 3]) {
          const several = results(createNativeExecutor({ ...options, threads }), traced);
          for (const [name, values] of Object.entries(one)) {
            const same = Buffer.compare(Buffer.from(values.buffer), Buffer.from(several[name].buffer)) === 0;
            expect(same, `${name} with ${threads} threads`).toBe(true);
          }
        }
        const wasm = results(await createWasmExecutor(), traced);
        for (const [name, values] of Object.entries(one)) {
          expect(relativeDifference(values, wasm[name]), name).toBeLessThan(1e-3);
        }
      },
    );
  });

  it("are as many as SOFTRL_THREADS says, one by default", () => {
    vi.stubEnv("SOFTRL_THREADS", "");
    expect(inspectNative()).toMatchObject({ available: true, threads: 1 });
    vi.stubEnv("SOFTRL_THREADS", "2");
    expect(inspectNative()).toMatchObject({ available: true, threads: 2 });
    expect(inspectNative({ threads: 3 })).toMatchObject({ available: true, threads: 3 });
    for (const wrong of ["0", "65", "1.5", "two"]) {
      vi.stubEnv("SOFTRL_THREADS", wrong);
      expect(() => createNativeMachine()).toThrow("SOFTRL_THREADS: the number of threads is out of range");
    }
  });
});
